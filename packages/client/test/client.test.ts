import { AuditService, ServiceMetrics, serveHttp } from '@tallystick/server';
import { tempDir } from '@tallystick/testing';
import { verifyBundle, verifyReceipt } from '@tallystick/verify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, createClient } from '../src/index.ts';

/** Every call of the client, against the service itself on an embedded store. */
const dir = tempDir();
let service: AuditService;
let server: Awaited<ReturnType<typeof serveHttp>>;
let client: Client;

beforeAll(async () => {
  service = await AuditService.open({ store: { directory: dir.path }, logName: 'client.test' });
  const { key } = await service.keys.create({ name: 'test', scopes: ['admin'] });
  server = await serveHttp(service, {
    port: 0,
    logger: false,
    tailIntervalMs: 20,
    auditReads: false,
    metrics: new ServiceMetrics({ process: false }),
  });
  client = createClient({ url: server.url, apiKey: key });
  await client.events.submit(Array.from({ length: 7 }, (_, n) => eventOf(n)));
});
afterAll(async () => {
  await server?.close();
  await service?.close();
  dir.remove();
});

const idOf = (n: number) => `019cb000-0000-7000-8000-${String(n).padStart(12, '0')}`;
function eventOf(n: number, more: object = {}) {
  return {
    audit_id: idOf(n),
    tenant_id: 'acme',
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'cms',
    metadata: { n },
    ...more,
  };
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const acme = { tenant_id: 'acme' };

test('events: submit, list, get', async () => {
  expect(await client.events.submit([eventOf(0), eventOf(9, { event_type: 'delivery.gap' })])).toMatchObject([
    { status: 'duplicate', receipt: { audit_id: idOf(0), sequence_number: 1 } },
    { status: 'rejected', error: { code: 'EVENT_TYPE_RESERVED', dead_letter_id: expect.any(String) } },
  ]);
  const page = await client.events.list({ ...acme, filters: { event_type: 'content.*' }, limit: 3 });
  expect(page.events.map((event) => event.audit_id)).toEqual([idOf(6), idOf(5), idOf(4)]);
  const next = await client.events.list({
    ...acme,
    filters: { event_type: 'content.*' },
    limit: 3,
    cursor: page.next_cursor!,
  });
  expect(next.events.map((event) => event.audit_id)).toEqual([idOf(3), idOf(2), idOf(1)]);
  expect(await client.events.get(idOf(2), { ...acme, include: 'record' })).toMatchObject({
    metadata: { n: 2 },
    record: expect.stringContaining(idOf(2)),
  });
  await expect(client.events.get(idOf(8), acme)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    problem: { code: 'NOT_FOUND' },
  });
});

test('lists are read to their end, page by page', async () => {
  const pages: number[] = [];
  const counting = createClient({
    url: server.url,
    apiKey: (await client.apiKeys.create({ name: 'counting', scopes: ['events:read'] })).key,
    fetch: async (url, init) => {
      pages.push(1);
      // The client asks for pages that are longer than this test's whole chain.
      url.searchParams.set('limit', '3');
      return await fetch(url, init);
    },
  });
  const events = await all(counting.events.listAll({ ...acme, order: 'asc', filters: { actor_id: 'jane' } }));
  expect(events.map((event) => event.audit_id)).toEqual([0, 1, 2, 3, 4, 5, 6].map(idOf));
  expect(pages.length).toBeGreaterThanOrEqual(3);
});

test('events are followed as they are chained', async () => {
  const stop = new AbortController();
  const stream = client.events.follow(
    { ...acme, sequence_from: 7, filters: { actor_id: 'jane' } },
    { signal: stop.signal },
  );
  const seen: unknown[] = [];
  for await (const { id, event } of stream) {
    seen.push([id, event.audit_id]);
    if (seen.length === 1) await client.events.submit([eventOf(10)]);
    else stop.abort();
  }
  expect(seen).toEqual([
    ['1-7', idOf(6)],
    // Position 8 has the record of the event that an earlier test had refused.
    ['1-9', idOf(10)],
  ]);
});

test('the log: checkpoint, keys, proofs, tile, receipt and bundle', async () => {
  const { logs } = client;
  const note = await logs.checkpoint('acme', { fresh: true });
  expect(note).toMatch(/^client\.test\/acme\/1\n/);
  const size = Number(note.split('\n')[1]);
  const { origin, keys } = await logs.keys('acme');
  expect(origin).toBe('client.test/acme/1');
  const key = keys[0]!.key;
  expect(await logs.inclusionProof('acme', { index: 1, size })).toMatchObject({ origin, index: 1, size });
  expect(await logs.consistencyProof('acme', { from: 2, to: size })).toMatchObject({ from: 2, to: size });
  expect((await logs.tile('acme', `0/000.p/${size}`)).length).toBe(32 * size);
  expect((await verifyReceipt(await logs.receipt('acme', idOf(3)), { keys: [key] })).verdict).toBe(
    'verified',
  );
  const report = await verifyBundle(logs.bundle('acme'), { keys: [key] });
  expect(report).toMatchObject({ verdict: 'verified', records: size });
  const part = await verifyBundle(logs.bundle('acme', { first: 1, last: 2 }), { keys: [key] });
  expect(part).toMatchObject({ verdict: 'verified_partial', records: 2 });
});

test('the service checks itself', async () => {
  expect(await client.verify({ ...acme, sequence_to: 3, fresh: true })).toMatchObject({
    verdict: 'verified',
    last: 3,
    trust: { source: 'service' },
  });
});

test('tenants and health', async () => {
  expect(await all(client.tenants.listAll())).toMatchObject([
    { tenant_id: 'acme', epoch: 1 },
    { tenant_id: 'tallystick', epoch: 1 },
  ]);
  expect((await client.tenants.list({ limit: 1 })).tenants).toHaveLength(1);
  expect(await client.health.get()).toMatchObject({ status: 'ok' });
  expect(await client.health.ready()).toMatchObject({ status: 'ready', stopped_chains: 0 });
});

test('a service that is not ready still gives an answer; the 503 of a proxy is an error', async () => {
  const answering = (body: string) =>
    createClient({ url: 'http://x', fetch: async () => new Response(body, { status: 503 }) }).health.ready();
  const unavailable = { status: 'unavailable', reasons: ['no writes'], stopped_chains: 0 };
  expect(await answering(JSON.stringify(unavailable))).toEqual(unavailable);
  await expect(answering('<html>')).rejects.toMatchObject({ code: 'SERVICE_FAILED', status: 503 });
});

test('producers: list and settle', async () => {
  const producer = '019cb000-0000-7000-8000-0000000000aa';
  const delivery = { producer_id: producer, service: 'cms', final: [{ tenant_id: 'acme', final_seq: 2 }] };
  expect(await client.events.submit([], { delivery })).toEqual([]);
  expect(await all(client.producers.listAll(acme))).toMatchObject([
    { producer_id: producer, open: [[1, 2]] },
  ]);
  expect((await client.producers.list({ all: true })).producers).toHaveLength(1);
  expect(await client.producers.settle({ producer_ids: [producer], reason: 'gone' })).toMatchObject({
    settled: false,
  });
});

test('API keys: create, list, revoke', async () => {
  const { id, key } = await client.apiKeys.create({
    name: 'reader',
    scopes: ['events:read'],
    tenants: ['acme'],
    expires_at: '2100-01-01T00:00:00Z',
  });
  expect(await client.apiKeys.list()).toContainEqual(
    expect.objectContaining({ id, name: 'reader', tenants: ['acme'] }),
  );
  const reader = createClient({ url: server.url, apiKey: key });
  expect((await reader.events.list({ limit: 1 })).events).toHaveLength(1);
  await expect(reader.apiKeys.list()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await client.apiKeys.revoke(id);
  await expect(reader.events.list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(client.apiKeys.revoke('0'.repeat(12))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('dead letters: list, get, retry, purge', async () => {
  const [deadLetter] = await all(client.deadLetters.listAll(acme));
  expect(deadLetter).toMatchObject({ reason: 'EVENT_TYPE_RESERVED', state: 'open' });
  expect((await client.deadLetters.list({ state: 'purged' })).dead_letters).toEqual([]);
  const { raw_base64: raw } = await client.deadLetters.get(deadLetter!.id);
  expect(JSON.parse(atob(raw!))).toMatchObject({ event_type: 'delivery.gap' });
  expect(await client.deadLetters.retry(deadLetter!.id)).toMatchObject({ status: 'rejected' });
  const found = { letters: 1, by_reason: { EVENT_TYPE_RESERVED: 1 } };
  expect(await client.deadLetters.purge({ ids: [deadLetter!.id] })).toEqual({ purged: false, ...found });
  expect(await client.deadLetters.purge({ ids: [deadLetter!.id], dry_run: false })).toEqual({
    purged: true,
    ...found,
  });
});
