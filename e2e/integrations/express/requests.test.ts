import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type ExpressAuditOptions, expressAudit } from '@tallystick/sdk/express';
import { createTestAudit } from '@tallystick/sdk/testing';
import express, { type NextFunction, type Request, type Response } from 'express';
import { afterEach, expect, test, vi } from 'vitest';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function open(over: Partial<ExpressAuditOptions<Request>> = {}) {
  const audit = createTestAudit();
  const audited = expressAudit<Request, Response>({
    audit: audit.emitter,
    tenant: (request) => request.get('x-tenant'),
    actor: (request) => ({ actorType: 'user', actorId: request.get('x-user') ?? 'anonymous' }),
    ...over,
  });
  const app = express();
  app.set('trust proxy', true);
  const route = audited({
    eventType: 'order.refunded',
    target: (request) => ({ type: 'order', id: String(request.params.id) }),
  });
  const orders = express.Router();
  orders.post('/:id', route, (_request, response) => void response.json({ ok: true }));
  orders.get('/:id/denied', route, (_request, response) => void response.status(403).end());
  orders.get('/:id/broken', route, async () => Promise.reject(new Error('secret')));
  orders.get('/:id/slow', route, () => undefined);
  orders.get('/:id/plain', (_request, response) => void response.end());
  app.use('/orders', orders);
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).end();
  });
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  servers.push(server);
  return { audit, port: (server.address() as AddressInfo).port };
}
const headers = {
  'x-tenant': 'acme',
  'x-user': 'maria',
  'x-request-id': 'r-1',
  'x-forwarded-for': '192.0.2.9',
};

test('a route with the middleware emits its event with what the request says', async () => {
  const { audit, port } = await open();
  const response = await fetch(`http://127.0.0.1:${port}/orders/o-1`, { method: 'POST', headers });
  expect(await response.json()).toEqual({ ok: true });
  await vi.waitFor(() => expect(audit.events).toHaveLength(1));
  expect(audit.events).toMatchObject([
    {
      tenant_id: 'acme',
      actor_id: 'maria',
      target_id: 'o-1',
      source_ip: '192.0.2.9',
      user_agent: 'node',
      outcome: { outcome_status: 'success' },
      metadata: { http_method: 'POST', http_route: '/orders/:id', http_status: 200, request_id: 'r-1' },
    },
  ]);
});

test('a denied and a failed request have their outcome, and other routes emit nothing', async () => {
  const { audit, port } = await open();
  for (const path of ['plain', 'denied', 'broken'])
    await fetch(`http://127.0.0.1:${port}/orders/o-1/${path}`, { headers });
  await vi.waitFor(() => expect(audit.events).toHaveLength(2));
  expect(audit.events).toMatchObject([
    { outcome: { outcome_status: 'denied' } },
    { outcome: { outcome_status: 'failure' }, metadata: { http_status: 500 } },
  ]);
});

test('a client that goes away is recorded as such', async () => {
  const { audit, port } = await open();
  const requested = new Promise((resolve) => servers[0]!.once('request', resolve));
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /orders/o-1/slow HTTP/1.1\r\nHost: x\r\nx-tenant: acme\r\n\r\n');
  await requested;
  socket.destroy();
  await vi.waitFor(() => expect(audit.events).toHaveLength(1));
  expect(audit.events[0]).toMatchObject({
    source_ip: '127.0.0.1',
    outcome: { error_code: 'CLIENT_DISCONNECTED' },
  });
});

test('a function of the application that throws after the response does not end the process', async () => {
  const onError = vi.fn();
  const requestId = () => {
    throw new Error('no request id');
  };
  const { audit, port } = await open({ requestId, onError });
  const response = await fetch(`http://127.0.0.1:${port}/orders/o-1`, { method: 'POST', headers });
  expect(response.status).toBe(200);
  await vi.waitFor(() => expect(audit.events).toHaveLength(1));
  expect(onError).toHaveBeenCalledTimes(1);
});
