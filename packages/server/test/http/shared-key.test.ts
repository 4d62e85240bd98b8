import { uuidv7 } from '@tallystick/event';
import type { ProducerAccount } from '@tallystick/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import { recordsOf } from '../chains.ts';
import { anEvent, anItem, newTenant } from '../events.ts';
import { Harness } from './harness.ts';

/**
 * What the limit "A key that several producers share" of SECURITY.md says. Two processes have the same API key, and the
 * second one speaks in the name of the first. A third process has a key of its own.
 */
let http: Harness;
let tenant: string;
let shared: ApiKey;
let own: ApiKey;

interface ApiKey {
  readonly key: string;
  readonly principal: string;
}

beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http?.[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = newTenant();
  [shared, own] = await Promise.all([newKey('shared'), newKey('own')]);
});

async function newKey(name: string): Promise<ApiKey> {
  const { id, key } = await http.service.keys.create({ name, scopes: ['events:write'], tenants: [tenant] });
  return { key, principal: `key:${id}` };
}

interface Said {
  readonly sequences?: readonly number[];
  readonly gap?: readonly [from: number, to: number, reason: string];
  readonly final?: number;
  readonly ephemeral?: boolean;
}

async function say(by: ApiKey, producer: string, { sequences = [], gap, final, ephemeral }: Said) {
  const { status, json } = await http.call('POST', '/v1/audit/events/batch', {
    key: by.key,
    body: {
      delivery: {
        producer_id: producer,
        service: 'cms',
        sequences,
        gaps: gap === undefined ? [] : [{ tenant_id: tenant, from: gap[0], to: gap[1], reason: gap[2] }],
        final: final === undefined ? [] : [{ tenant_id: tenant, final_seq: final }],
        ...(ephemeral === true && { ephemeral }),
      },
      events: sequences.map(() => anEvent(tenant)),
    },
  });
  expect([200, 201], JSON.stringify(json)).toContain(status);
}

const accounts = async (): Promise<ProducerAccount[]> =>
  (await http.get(`/v1/audit/producers?tenant_id=${tenant}&all=true&silent_seconds=300`)).json.producers;

const records = async () =>
  (await recordsOf(http.service.database, tenant)).map(({ record }) => JSON.parse(record));

const deliveryRecords = async () =>
  (await records())
    .map(({ event, ingest }) => ({ ...event, trust: ingest.trust }))
    .filter(({ event_type }) => event_type.startsWith('delivery.'));

const ofType = async (type: string) =>
  (await deliveryRecords()).filter(({ event_type }) => event_type === `delivery.${type}`);

test('a false end leaves no record, and a producer that is killed afterwards looks complete', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1, 2] });
  await say(shared, producer, { final: 2 });
  expect(await accounts()).toMatchObject([{ submitter: shared.principal, state: 'closed', final_seq: 2 }]);
  expect(await deliveryRecords()).toEqual([]);
  // A producer that is still alive goes on: its account is no longer closed, and a missing number is open.
  await say(shared, producer, { sequences: [4] });
  expect(await accounts()).toMatchObject([{ state: 'open', open: [[3, 3]] }]);
});

test('a raised last number stays, and the true end is then a contradiction on record that names the key', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1, 2] });
  await say(shared, producer, { final: 1_000 });
  await say(shared, producer, { final: 2 });
  expect(await accounts()).toMatchObject([{ state: 'open', open: [[3, 1_000]], final_seq: 1_000 }]);
  expect(await deliveryRecords()).toMatchObject([
    {
      event_type: 'delivery.contradiction',
      trust: 'service',
      metadata: { submitter: shared.principal, final_seq: 2, declared_before: 1_000 },
    },
  ]);
});

test('a false loss settles numbers, and the record of it names the key', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1, 4] });
  await say(shared, producer, { gap: [1, 9, 'buffer_full'] });
  expect(await accounts()).toMatchObject([{ numbers: 9, open: [] }]);
  expect(await ofType('gap')).toMatchObject([
    { trust: 'service', metadata: { submitter: shared.principal, producer_id: producer, from: 1, to: 9 } },
  ]);
  // The true end is below the numbers that were declared lost.
  await say(shared, producer, { final: 4 });
  expect(await ofType('contradiction')).toMatchObject([
    { metadata: { submitter: shared.principal, highest_seen: 9 } },
  ]);
});

test('a loss that is declared again for another reason is a conflict on record that names the key', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1, 4], gap: [2, 3, 'planned'] });
  await say(shared, producer, { gap: [2, 3, 'buffer_full'] });
  expect(await ofType('gap')).toMatchObject([{ metadata: { reason: 'planned' } }]);
  expect(await ofType('conflict')).toMatchObject([
    { trust: 'service', metadata: { submitter: shared.principal } },
  ]);
});

test('an event with the number of another event settles it, and both records have number and key', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1] });
  await say(shared, producer, { sequences: [2] });
  expect(await accounts()).toMatchObject([{ numbers: 2, open: [] }]);
  await say(shared, producer, { sequences: [2] });
  const claims = (await records()).filter(({ ingest }) => ingest.producer_seq === 2);
  const claim = { principal: shared.principal, producer_id: producer, trust: 'api-key' };
  expect(claims).toMatchObject([{ ingest: claim }, { ingest: claim }]);
  expect(await deliveryRecords()).toEqual([]);
});

test('a producer that is declared ephemeral before its first event raises no alert', async () => {
  const producer = uuidv7();
  await say(shared, producer, { ephemeral: true, gap: [1, 1, 'forged'] });
  await say(shared, producer, { sequences: [1] });
  expect(await accounts()).toMatchObject([{ ephemeral: true, final_seq: null }]);
  const late = uuidv7();
  await say(shared, late, { sequences: [1] });
  await say(shared, late, { ephemeral: true, gap: [2, 2, 'forged'] });
  const account = (await accounts()).find(({ producer_id }) => producer_id === late);
  expect(account).toMatchObject({ ephemeral: false });
});

test('the conflict of an event with a taken audit_id names the key that sent it', async () => {
  const event = anEvent(tenant);
  await http.call('POST', '/v1/audit/events', { key: own.key, body: event });
  const other = { ...event, actor_id: 'another' };
  expect((await http.call('POST', '/v1/audit/events', { key: shared.key, body: other })).status).toBe(409);
  expect(await ofType('conflict')).toMatchObject([{ metadata: { submitter: shared.principal } }]);
});

test('a key of its own protects an account from every statement under another key', async () => {
  const producer = uuidv7();
  await say(own, producer, { sequences: [1, 3] });
  const [before] = await accounts();
  await say(shared, producer, { ephemeral: true });
  await say(shared, producer, { sequences: [2], gap: [4, 9, 'forged'] });
  await say(shared, producer, { final: 1_000 });
  expect((await accounts()).find(({ submitter }) => submitter === own.principal)).toEqual(before);
  expect(before).toMatchObject({ state: 'open', open: [[2, 2]], final_seq: null, ephemeral: false });
  expect(await ofType('contradiction')).toMatchObject([
    { metadata: { submitter: shared.principal, other_submitter: own.principal, final_seq: 1_000 } },
  ]);
});

test('a key that only writes cannot look up the ids of other producers', async () => {
  const producer = uuidv7();
  await say(shared, producer, { sequences: [1] });
  const paths = ['/v1/audit/producers', '/v1/audit/events', '/v1/dead-letters', '/v1/audit/events/stream'];
  for (const path of paths) expect((await http.get(path, shared.key)).status, path).toBe(403);
});

test('the account of a topic belongs to everyone who can write to it', async () => {
  const producerId = uuidv7();
  const submitter = 'kafka:cluster/audit.events';
  const source = (partition: number) => `${submitter}/${partition}/0`;
  const item = anItem(tenant);
  const ingest = { source: source(0), trust: 'topic-acl', producer_id: producerId, producer_seq: 1 } as const;
  const final = [{ tenantId: tenant, finalSeq: 1 }];
  await appendBatch(
    http.service.database,
    {
      items: [{ ...item, ingest }],
      statements: [{ submitter, producerId, service: 'cms', gaps: [], final }],
    },
    { logName: 'log.test' },
  );
  expect(await accounts()).toMatchObject([{ submitter, state: 'closed', final_seq: 1 }]);
  expect((await records()).at(-1).ingest).not.toHaveProperty('principal');
});
