import { createClient } from '@tallystick/client';
import { createAuditEmitter } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import { AuditService } from '@tallystick/server';
import { ServiceMetrics, serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A real emitter and a real client with a service that allows each key one request a second. */
const dir = tempDir();
const metrics = new ServiceMetrics({ process: false });
let service: AuditService;
let server: Awaited<ReturnType<typeof serveHttp>>;
beforeAll(async () => {
  await prepareEmbeddedStore(dir.path);
  service = await AuditService.open({ store: { directory: dir.path }, checkpointIntervalMs: 0 });
  server = await serveHttp(service, {
    port: 0,
    logger: false,
    auditReads: false,
    metrics,
    rates: { callers: { perSecond: 1, burst: 1 } },
  });
});
afterAll(async () => {
  await server.close();
  await service.close();
  dir.remove();
});

const keyFor = async (scope: 'events:write' | 'events:read' | 'admin') =>
  (await service.keys.create({ name: scope, scopes: [scope] })).key;

/** How many requests to a route were answered with 429. */
async function refusals(route: string): Promise<number> {
  const lines = (await metrics.registry.metrics()).split('\n');
  const line = lines.find(
    (each) =>
      /^tallystick_http_request.*_count/.test(each) && each.includes(`"${route}"`) && each.includes('"429"'),
  );
  return Number(line?.split(' ').at(-1) ?? 0);
}

test('an emitter waits as the service asks, and loses no event', async () => {
  const transport = httpTransport({ url: server.url, apiKey: await keyFor('events:write') });
  const audit = createAuditEmitter({ service: 'checkout', transport, batchSize: 10, flushOnExit: false });
  const count = 40;
  for (let at = 0; at < count; at++)
    audit.emit({ eventType: 'order.paid', tenantId: 'acme', actorType: 'user', actorId: `user ${at}` });
  const report = await audit.flush({ deadlineMs: 60_000 });
  expect(report).toMatchObject({ emitted: count, delivered: count, duplicates: 0, dropped: 0, rejected: 0 });
  await audit.close();
  expect(await refusals('/v1/audit/events/batch')).toBeGreaterThan(0);

  const client = createClient({ url: server.url, apiKey: await keyFor('events:read') });
  const { events } = await client.events.list({
    tenant_id: 'acme',
    filters: { event_type: 'order.paid' },
    limit: 200,
  });
  expect(new Set(events.map(({ actor_id }) => actor_id)).size).toBe(count);
}, 90_000);

test('a client repeats a request that was refused for its rate, also one that makes something', async () => {
  const client = createClient({ url: server.url, apiKey: await keyFor('admin') });
  const names = ['one', 'two'];
  await Promise.all(names.map((name) => client.apiKeys.create({ name, scopes: ['events:read'] })));
  expect(await refusals('/v1/api-keys')).toBeGreaterThan(0);
  const made = (await service.keys.list()).filter(({ name }) => names.includes(name));
  expect(made).toHaveLength(names.length);
}, 60_000);
