import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { createTestAudit } from '@tallystick/sdk/testing';
import { withAudit } from '@tallystick/sdk/web';
import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';

test('a Hono application behind withAudit emits one event per request', async () => {
  const audit = createTestAudit();
  const app = new Hono();
  app.post('/orders/:id', (context) => context.json({ id: context.req.param('id') }, 201));
  app.onError((_error, context) => context.json({}, 503));
  app.get('/broken', () => {
    throw new Error('secret');
  });
  const fetchApp = (request: Request, env: object) => app.fetch(request, env);
  const handler = withAudit(fetchApp, {
    audit: audit.emitter,
    tenant: 'acme',
    event: { eventType: 'shop.request' },
    clientIp: (_request, env) => getConnInfo({ env } as never).remote.address,
  });
  const server = serve({ fetch: handler as never, port: 0, hostname: '127.0.0.1' });
  try {
    await vi.waitFor(() => expect(server.listening).toBe(true));
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/orders/o-1`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([201, { id: 'o-1' }]);
    await fetch(`http://127.0.0.1:${port}/broken`);
    expect(audit.events).toMatchObject([
      { outcome: { outcome_status: 'success' }, metadata: { http_status: 201 }, source_ip: '127.0.0.1' },
      { outcome: { outcome_status: 'failure' }, metadata: { http_status: 503 } },
    ]);
  } finally {
    server.close();
  }
});
