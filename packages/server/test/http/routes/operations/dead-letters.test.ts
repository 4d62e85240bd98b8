import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { toDeadLetter } from '../../../../src/chain/dead-letters.ts';
import { messageSource } from '../../../../src/chain/source-position.ts';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let acme: string;
beforeAll(async () => {
  http = await Harness.open();
  acme = await http.key(['acme'], 'admin');
});
afterAll(() => http?.[Symbol.asyncDispose]());

let offset = 0;
let topic: string;
beforeEach(() => {
  // Neither an underscore nor a dot is a wildcard.
  topic = `a_${offset}.b`;
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface RefusedMessage {
  readonly code?: string;
  readonly tenantId?: string | null;
  readonly of?: string;
}

/** A message that was refused, as the consumer stores it. */
async function refuse(raw: string, message?: RefusedMessage) {
  const item = refused(raw, message);
  await http.service.writer.submit([item]);
  return item.deadLetter.id;
}

function refused(raw: string, { code = 'KEY_MISMATCH', tenantId = 'acme', of = topic }: RefusedMessage = {}) {
  const source = messageSource({ clusterId: 'cluster', topic: of, partition: 3, offset: offset++ });
  const { tenantId: _, ...letter } = toDeadLetter(raw, { source }, [
    { code, pointer: '', message: 'is wrong' },
  ]);
  return { deadLetter: { ...letter, ...(tenantId !== null && { tenantId }) } };
}

const list = async (query: string, key = acme) =>
  (await http.get(`/v1/dead-letters?${query}`, key)).json.dead_letters as { id: string }[];
const purge = (body: object, key = acme) => http.call('POST', '/v1/dead-letters/purge', { key, body });
const purges = async (tenant: string) =>
  (await http.get(`/v1/audit/events?tenant_id=${tenant}&order=asc&event_type=audit.dead_letters_purged`)).json
    .events as {
    actor_id: string;
    metadata: { count: number; letters: string[]; asked: object };
  }[];

test('a letter says where its message lies, and is found by topic', async () => {
  const id = await refuse('{}');
  await refuse('{}', { of: topic.replace('_', 'x') });
  expect(await list(`topic=${topic}`)).toEqual([
    expect.objectContaining({ id, topic, partition: 3, offset: offset - 2, principal: null }),
  ]);
  const other = await http.call('POST', '/v1/audit/events', { key: acme, body: event({ severity: 'loud' }) });
  expect((await http.get(`/v1/dead-letters/${other.json.dead_letter_id}`, acme)).json).toMatchObject({
    source: 'http',
    topic: null,
    partition: null,
    offset: null,
  });
  expect(await list(`topic=${topic}&before=2020-01-01T00:00:00Z`)).toEqual([]);
  expect(await list(`topic=${topic}&before=2999-01-01T00:00:00Z`)).toHaveLength(1);
});

test('retried, it is chained with the trust that it came with, from where it came', async () => {
  const sent = event();
  const id = await refuse(JSON.stringify(sent));
  const retried = await http.call('POST', `/v1/dead-letters/${id}/retry`, { key: acme });
  expect(retried.json.status).toBe('chained');
  const { ingest } = (await http.get(`/v1/audit/events/${sent.audit_id}`, acme)).json;
  expect(ingest).toMatchObject({ trust: 'topic-acl', source: `kafka:cluster/${topic}/3/${offset - 1}` });
  expect(ingest.principal).toBeUndefined();
});

test('a purge only counts unless dry_run is false', async () => {
  const ids = [await refuse('one'), await refuse('two'), await refuse('three', { code: 'JSON_INVALID' })];
  const counted = await purge({ topic });
  expect(counted.json).toEqual({
    purged: false,
    letters: 3,
    by_reason: { JSON_INVALID: 1, KEY_MISMATCH: 2 },
  });
  expect(await list(`topic=${topic}`)).toHaveLength(3);
  expect(await purges('acme')).toEqual([]);

  const done = await purge({ topic, reason: 'KEY_MISMATCH', dry_run: false });
  expect(done.json).toEqual({ purged: true, letters: 2, by_reason: { KEY_MISMATCH: 2 } });
  expect((await list(`topic=${topic}`)).map(({ id }) => id)).toEqual([ids[2]]);
  expect((await http.get(`/v1/dead-letters/${ids[0]}`, acme)).json).toMatchObject({
    state: 'purged',
    bytes: 0,
    reason: 'KEY_MISMATCH',
    raw_base64: '',
  });
  const [record] = await purges('acme');
  expect(record).toMatchObject({ actor_id: expect.stringMatching(/^key:/) });
  expect(record!.metadata).toEqual({
    count: 2,
    letters: [
      `${ids[0]} KEY_MISMATCH sha256:${sha256('one')}`,
      `${ids[1]} KEY_MISMATCH sha256:${sha256('two')}`,
    ],
    asked: { reason: 'KEY_MISMATCH', topic },
  });
  // A purged dead letter is not purged again, and a purge of nothing adds no record.
  expect((await purge({ topic, reason: 'KEY_MISMATCH', dry_run: false })).json.letters).toBe(0);
  expect(await purges('acme')).toHaveLength(1);
});

test('more than one record can name are all purged, each named once', async () => {
  const before = (await purges('acme')).length;
  await http.service.writer.submit(Array.from({ length: 401 }, (_, at) => refused(`${at}`)));
  expect((await purge({ topic, dry_run: false })).json.letters).toBe(401);
  const records = (await purges('acme')).slice(before);
  expect(records.map(({ metadata }) => metadata.count)).toEqual([400, 1]);
  expect(new Set(records.flatMap(({ metadata }) => metadata.letters)).size).toBe(401);
});

test('a key reaches only the dead letters of its tenants, and those without a tenant need a key for every tenant', async () => {
  await refuse('theirs', { tenantId: 'globex' });
  await refuse("nobody's", { tenantId: null });
  expect((await purge({ topic, dry_run: false })).json.letters).toBe(0);
  expect((await purge({ topic, tenant_id: 'globex' })).status).toBe(403);
  const everywhere = await purge({ topic, dry_run: false }, http.admin);
  expect(everywhere.json.letters).toBe(2);
  // A refused event only claims its tenant, so it does not begin a chain for it.
  expect(await purges('globex')).toEqual([]);
  const [record] = await purges('tallystick');
  expect(record!.metadata.letters).toEqual([
    expect.stringContaining(sha256('theirs')),
    expect.stringContaining(sha256("nobody's")),
  ]);
});

test('a purge of everything must be spelt out', async () => {
  expect((await purge({ dry_run: false })).json.code).toBe('BODY_INVALID');
  expect((await purge({ state: 'open', dry_run: 'no' })).json.code).toBe('BODY_INVALID');
  expect((await purge({ topic, key: 'x' })).json.code).toBe('BODY_INVALID');
  const reader = await http.key(['acme'], 'events:read', 'events:write');
  expect((await purge({ topic }, reader)).status).toBe(403);
});
