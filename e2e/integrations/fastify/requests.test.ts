import { connect } from 'node:net';
import { fastifyAudit } from '@tallystick/sdk/fastify';
import { createTestAudit } from '@tallystick/sdk/testing';
import Fastify, { type FastifyRequest } from 'fastify';
import { afterEach, expect, test, vi } from 'vitest';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function open(onError?: (error: unknown) => void) {
  const audit = createTestAudit();
  const app = Fastify({ trustProxy: true });
  await app.register(fastifyAudit, {
    audit: audit.emitter,
    closeWithApp: audit.emitter,
    onError,
    tenant: (request) => request.headers['x-tenant'] as string,
    actor: (request) => ({
      actorType: 'user',
      actorId: (request.headers['x-user'] as string) ?? 'anonymous',
    }),
  });
  const target = (request: FastifyRequest) => ({ type: 'order', id: (request.params as { id: string }).id });
  const audited = { config: { audit: { eventType: 'order.refunded', target } } };
  app.post('/orders/:id', audited, async () => ({ ok: true }));
  app.get('/orders/:id/denied', audited, async (_request, reply) => reply.code(403).send({ error: 'no' }));
  app.get('/orders/:id/broken', audited, async () => {
    throw Object.assign(new Error('secret'), { code: 'DB_DOWN' });
  });
  app.get('/orders/:id/large', audited, async () => Buffer.alloc(64_000_000));
  // Never answers.
  app.get('/orders/:id/slow', audited, (_request, reply) => reply.hijack());
  app.get('/health', async () => 'ok');
  closers.push(() => app.close());
  return { app, audit };
}
const headers = {
  'x-tenant': 'acme',
  'x-user': 'maria',
  'user-agent': 'test/1',
  'x-forwarded-for': '192.0.2.9',
};

test('a route that declares an event emits it with what the request says', async () => {
  const { app, audit } = await open();
  const response = await app.inject({ method: 'POST', url: '/orders/o-1?secret=1', headers });
  expect(response.json()).toEqual({ ok: true });
  expect(audit.events).toMatchObject([
    {
      tenant_id: 'acme',
      event_type: 'order.refunded',
      actor_id: 'maria',
      target_type: 'order',
      target_id: 'o-1',
      source_ip: '192.0.2.9',
      user_agent: 'test/1',
      outcome: { outcome_status: 'success' },
      metadata: {
        http_method: 'POST',
        http_route: '/orders/:id',
        http_status: 200,
        request_id: expect.any(String),
      },
    },
  ]);
  expect(JSON.stringify(audit.events)).not.toContain('secret');
});

test('a denied and a failed request have their outcome, and an undeclared route emits nothing', async () => {
  const { app, audit } = await open();
  await app.inject({ url: '/orders/o-1/denied', headers });
  await app.inject({ url: '/orders/o-1/broken', headers });
  await app.inject({ url: '/health', headers });
  await app.inject({ url: '/nowhere', headers });
  expect(audit.events).toMatchObject([
    { outcome: { outcome_status: 'denied' } },
    { outcome: { outcome_status: 'failure', error_code: 'DB_DOWN' } },
  ]);
  expect(JSON.stringify(audit.events)).not.toContain('secret');
});

test('a client that goes away is recorded as such', async () => {
  const { app, audit } = await open();
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(url.port), url.hostname);
  socket.write('GET /orders/o-1/slow HTTP/1.1\r\nHost: x\r\nx-tenant: acme\r\n\r\n');
  const started = new Promise((resolve) => app.server.once('request', resolve));
  await started;
  socket.destroy();
  await vi.waitFor(() => expect(audit.events).toHaveLength(1));
  expect(audit.events[0]).toMatchObject({
    source_ip: '127.0.0.1',
    outcome: { outcome_status: 'failure', error_code: 'CLIENT_DISCONNECTED' },
  });
});

// Fastify calls no hook for it: without an event, a client could read what it wanted and leave no trace.
test('a client that goes away while it reads is recorded, with its address', async () => {
  const { app, audit } = await open();
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(url.port), url.hostname);
  socket.write('GET /orders/o-1/large HTTP/1.1\r\nHost: x\r\nx-tenant: acme\r\n\r\n');
  socket.once('data', () => socket.destroy());
  await vi.waitFor(() => expect(audit.events).toHaveLength(1));
  expect(audit.events).toMatchObject([
    { target_id: 'o-1', source_ip: '127.0.0.1', outcome: { error_code: 'CLIENT_DISCONNECTED' } },
  ]);
});

test('a hook that was registered before and refuses the login does not hide the request', async () => {
  const audit = createTestAudit();
  const app = Fastify();
  app.addHook('onRequest', async (_request, reply) => reply.code(401).send({ error: 'who are you?' }));
  await app.register(fastifyAudit, { audit: audit.emitter, tenant: 'acme' });
  app.get('/orders', { config: { audit: { eventType: 'order.listed' } } }, async () => 'orders');
  closers.push(() => app.close());
  expect((await app.inject('/orders')).statusCode).toBe(401);
  expect(audit.events).toMatchObject([
    { event_type: 'order.listed', source_ip: '127.0.0.1', outcome: { outcome_status: 'denied' } },
  ]);
});

test('a request without a tenant is answered as usual, and the loss is reported', async () => {
  const onError = vi.fn();
  const { app, audit } = await open(onError);
  const response = await app.inject({ method: 'POST', url: '/orders/o-1' });
  expect(response.statusCode).toBe(200);
  expect(audit.events).toEqual([]);
  expect(onError).toHaveBeenCalledTimes(1);
});

test('parallel requests do not mix', async () => {
  const { app, audit } = await open();
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      app.inject({
        method: 'POST',
        url: `/orders/o-${index}`,
        headers: { 'x-tenant': 'acme', 'x-user': `u-${index}` },
      }),
    ),
  );
  expect(audit.events).toHaveLength(200);
  for (const event of audit.events) expect(event.target_id).toBe(event.actor_id.replace('u', 'o'));
});
