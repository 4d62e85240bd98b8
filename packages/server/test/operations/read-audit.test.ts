import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReadAudit } from '../../src/operations/read-audit.ts';
import { writer } from '../../src/store/database.ts';
import { event, Harness } from '../http/harness.ts';

// Records of reads were dated at the start of a window of five minutes, which may lie before the first record of the trail. They
// were in every list, so a list changed because somebody looked at it.
let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ auditReads: true });
});
afterAll(() => http[Symbol.asyncDispose]());

const list = async (query: string) => (await http.get(`/v1/audit/events?${query}`)).json;
const typesOf = ({ events }: { events: { event_type: string }[] }) =>
  events.map(({ event_type }) => event_type);

test('a read is dated when it is written, and never before the first record', async () => {
  await http.ingest([event({ tenant_id: 'dated' })]);
  await list('tenant_id=dated');
  const { events } = await list('tenant_id=dated&include_reads=true&order=asc');
  const [genesis, , read] = events;
  expect(read.event_type).toBe('audit.read');
  expect(Date.parse(read.timestamp)).toBeGreaterThanOrEqual(Date.parse(genesis.ingested_at));
  expect(Date.parse(read.timestamp)).toBeLessThanOrEqual(Date.parse(read.ingested_at));
});

test('two replicas write a read of one window: the first one wins, and nothing is a conflict', async () => {
  await http.ingest([event({ tenant_id: 'shared' })]);
  const { database, writer } = http.service;
  const replicas = [0, 1].map(() => new ReadAudit(database, writer, { now: () => 1_800_000_000_000 }));
  for (const replica of replicas) await replica.read({ principal: 'key:one', tenantId: 'shared' });
  await Promise.all(replicas.map((each) => each.read({ principal: 'key:two', tenantId: 'shared' })));
  const { events } = await list('tenant_id=shared&event_type=audit.*');
  expect(events.map(({ actor_id }: { actor_id: string }) => actor_id).sort()).toEqual(['key:one', 'key:two']);
  expect(typesOf(await list('tenant_id=shared&include_reads=true'))).not.toContain('delivery.conflict');
});

test('lists leave reads out, say so, and have them for a client that asks', async () => {
  await http.ingest([event({ tenant_id: 'lists', event_type: 'a.b' })]);
  const first = await list('tenant_id=lists');
  expect(typesOf(first)).toEqual(['a.b', 'system.genesis']);
  expect(first.reads_left_out).toBeUndefined();
  await http.ingest([event({ tenant_id: 'lists', event_type: 'a.c' })]);
  const second = await list('tenant_id=lists');
  expect(typesOf(second)).toEqual(['a.c', 'a.b', 'system.genesis']);
  expect(second.reads_left_out).toBe(true);
  expect(typesOf(await list('tenant_id=lists&include_reads=true'))).toEqual([
    'a.c',
    'audit.read',
    'a.b',
    'system.genesis',
  ]);
  expect(typesOf(await list('tenant_id=lists&event_type=audit.read'))).toEqual(['audit.read']);
  // A list that no read belongs to says nothing.
  expect((await list('tenant_id=lists&severity=critical')).reads_left_out).toBeUndefined();
});

test('only the page between whose events reads lie says that it left them out', async () => {
  const tenant_id = 'pages';
  await http.ingest([event({ tenant_id })]);
  await list(`tenant_id=${tenant_id}`);
  await http.ingest([event({ tenant_id }), event({ tenant_id })]);
  const pages: unknown[] = [];
  let cursor: string | undefined;
  do {
    const next: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const page = await list(`tenant_id=${tenant_id}&limit=1${next}`);
    pages.push([page.events[0]?.sequence_number, page.reads_left_out]);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  expect(pages).toEqual([
    [4, undefined],
    [3, undefined],
    [1, true],
    [0, undefined],
  ]);
});

test('a stream leaves reads out, and begins with what was chained since a time', async () => {
  const tenant_id = 'live';
  await http.ingest([event({ tenant_id, event_type: 'a.b' })]);
  await list(`tenant_id=${tenant_id}`);
  await http.ingest([event({ tenant_id, event_type: 'a.c' })]);
  const framesOf = async (query: string, last: string) => {
    const abort = new AbortController();
    const response = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=${tenant_id}&${query}`, {
      headers: { authorization: `Bearer ${http.admin}` },
      signal: abort.signal,
    });
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await until(() => text.includes(`"event_type":"${last}"`));
    abort.abort();
    await reading;
    return [...text.matchAll(/"event_type":"([^"]+)"/g)].map(([, type]) => type);
  };
  const since = 'since=2020-01-01T00:00:00Z';
  expect(await framesOf(since, 'a.c')).toEqual(['system.genesis', 'a.b', 'a.c']);
  expect(await framesOf(`${since}&include_reads=true`, 'a.c')).toEqual([
    'system.genesis',
    'a.b',
    'audit.read',
    'a.c',
  ]);
});

// The guide to a clock that is behind said that an export is refused then.
test('an export from a chain that is ahead of the clock has its lines, and the missing record of it is counted', async () => {
  const tenant_id = 'ahead';
  await http.ingest([event({ tenant_id, event_type: 'a.b' })]);
  await http.service.database.query(
    writer,
    "update audit_chain_state set last_ingested_at = clock_timestamp() + interval '10 minutes' where tenant_id = $1",
    [tenant_id],
  );
  const failures = async () => {
    const { text } = await http.get('/metrics');
    return Number(/^tallystick_read_audit_failures_total (\d+)$/m.exec(text)![1]);
  };
  const before = await failures();
  for (const kind of ['', '&evidence=true']) {
    const { status, text } = await http.get(
      `/v1/audit/events/export?tenant_id=${tenant_id}&format=jsonl${kind}`,
    );
    expect(status).toBe(200);
    expect(text.replaceAll('\\"', '"')).toContain('"event_type":"a.b"');
  }
  expect(await failures()).toBe(before + 2);
  expect(typesOf(await list(`tenant_id=${tenant_id}&event_type=audit.*`))).toEqual([]);
});
