import { type AuditEvent, uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { gapRecords } from '../../../../src/chain/service-records/producer-records.ts';
import { settleProducers } from '../../../../src/operations/settle-producers.ts';
import { writer } from '../../../../src/store/database.ts';
import { recordsOf } from '../../../chains.ts';
import { anEvent, newTenant } from '../../../events.ts';
import { Harness } from '../../harness.ts';

let http: Harness;
let tenant: string;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = newTenant();
});

interface Said {
  readonly producer?: string;
  readonly sequences: readonly number[];
  readonly final?: number;
}

async function send({ producer = uuidv7(), sequences, final }: Said): Promise<string> {
  const { status } = await http.call('POST', '/v1/audit/events/batch', {
    body: {
      delivery: {
        producer_id: producer,
        service: 'cms',
        sequences,
        final: final === undefined ? [] : [{ tenant_id: tenant, final_seq: final }],
      },
      events: sequences.map(() => anEvent(tenant)),
    },
  });
  expect([200, 201]).toContain(status);
  return producer;
}

/** Sets the last event of the producers back by ten minutes. */
async function fallSilent(): Promise<void> {
  await http.service.database.query(
    writer,
    `update audit_producers set last_seen_at = last_seen_at - interval '10 minutes' where tenant_id = $1`,
    [tenant],
  );
}

const reason = 'the pod was evicted';
const settle = (body: Record<string, unknown>, key?: string) =>
  http.call('POST', '/v1/audit/producers/settle', {
    body: { tenant_id: tenant, silent_seconds: 300, reason, ...body },
    ...(key !== undefined && { key }),
  });

const account = async () =>
  (await http.get(`/v1/audit/producers?tenant_id=${tenant}&all=true&silent_seconds=300`)).json.producers[0];

const deliveryRecords = async () =>
  (await recordsOf(http.service.database, tenant))
    .map(({ record }) => JSON.parse(record).event as AuditEvent)
    .filter(({ event_type }) => event_type.startsWith('delivery.'));

test('open numbers are declared lost in the name of the caller, and events that arrive later are chained', async () => {
  const producer = await send({ sequences: [1, 2, 5], final: 6 });
  await fallSilent();
  const { last_seen_at } = await account();
  expect((await settle({})).json).toEqual({ settled: false, accounts: 1, numbers: 3 });
  expect(await deliveryRecords()).toEqual([]);

  expect((await settle({ dry_run: false })).json).toEqual({ settled: true, accounts: 1, numbers: 3 });
  const [principal] = await http.service.keys.list();
  const gap = {
    event_type: 'delivery.gap',
    actor_type: 'service',
    actor_id: `key:${principal!.id}`,
    target_id: producer,
  };
  expect(await deliveryRecords()).toMatchObject([
    { ...gap, metadata: { from: 3, to: 4, events: 2, reason, service: 'cms' } },
    { ...gap, metadata: { from: 6, to: 6, events: 1, reason } },
  ]);
  // Another operator has settled the account. The producer itself has sent nothing more.
  expect(await account()).toMatchObject({ state: 'closed', open: [], final_seq: 6, last_seen_at });
  expect((await settle({ dry_run: false })).json).toEqual({ settled: true, accounts: 0, numbers: 0 });

  await send({ producer, sequences: [4] });
  expect(await account()).toMatchObject({ state: 'closed', open_numbers: 0 });
  expect(await deliveryRecords()).toHaveLength(2);
});

test('a producer that vanished is closed with a record of that', async () => {
  const producer = await send({ sequences: [1, 2, 4] });
  await fallSilent();
  const { last_seen_at } = await account();
  expect((await settle({ dry_run: false })).json).toMatchObject({ accounts: 1, numbers: 1 });
  expect(await deliveryRecords()).toMatchObject([
    {
      event_type: 'delivery.unclosed',
      timestamp: last_seen_at,
      target_id: producer,
      metadata: { producer_id: producer, numbers: 4, reason, service: 'cms' },
    },
    { event_type: 'delivery.gap', metadata: { from: 3, to: 3, reason } },
  ]);
  expect(await account()).toMatchObject({ state: 'closed', final_seq: 4 });
});

test('two who settle at once say it once', async () => {
  await send({ sequences: [2] });
  await fallSilent();
  const { service } = http;
  // Another operator settles the account for another reason, between this one's query and its transaction.
  const overtaken = Object.create(service, {
    appendRanges: {
      value: async (...args: Parameters<typeof service.appendRanges>) => {
        expect((await settle({ dry_run: false })).json).toMatchObject({ accounts: 1, numbers: 1 });
        return await service.appendRanges(...args);
      },
    },
  });
  const request = { tenants: [tenant], silentSeconds: 300, reason: 'crashed', by: 'operator' };
  expect(await settleProducers(overtaken, request)).toEqual({ accounts: 0, numbers: 0 });
  expect((await deliveryRecords()).map(({ event_type }) => event_type).sort()).toEqual([
    'delivery.gap',
    'delivery.unclosed',
  ]);
  const { json } = await http.get(`/v1/dead-letters?tenant_id=${tenant}`);
  expect(json.dead_letters).toEqual([]);
});

// The conflict of the two ids hid the gap: the chain had no record of the loss.
test('an event with the id that anyone can compute for the gap does not keep the gap out of the chain', async () => {
  const producer = await send({ sequences: [2], final: 2 });
  await fallSilent();
  const { submitter } = await account();
  const gaps = [{ tenantId: tenant, from: 1, to: 1, reason }];
  const [record] = gapRecords([{ submitter, producerId: producer, gaps, final: [] }]);
  const taken = anEvent(tenant, { audit_id: record!.event.audit_id });
  expect((await http.call('POST', '/v1/audit/events', { body: taken })).status).toBe(201);
  expect((await settle({ dry_run: false })).json).toMatchObject({ accounts: 1, numbers: 1 });
  expect(await account()).toMatchObject({ state: 'closed' });
  expect(await deliveryRecords()).toMatchObject([{ event_type: 'delivery.gap' }]);
});

test('one that may still speak is left alone', async () => {
  const producer = await send({ sequences: [3] });
  expect((await settle({ dry_run: false })).json).toMatchObject({ accounts: 0 });
  expect((await settle({ dry_run: false, producer_ids: [producer] })).json).toMatchObject({ accounts: 0 });

  await fallSilent();
  const { service } = http;
  const request = { tenants: [tenant], silentSeconds: 300, reason, by: 'operator' };
  // The missing event arrives between the query and the transaction.
  const interrupted = Object.create(service, {
    appendRanges: {
      value: async (...args: Parameters<typeof service.appendRanges>) => {
        await send({ producer, sequences: [1] });
        return await service.appendRanges(...args);
      },
    },
  });
  expect(await settleProducers(interrupted, request)).toEqual({ accounts: 0, numbers: 0 });
  expect(await deliveryRecords()).toEqual([]);
  expect(await account()).toMatchObject({ open: [[2, 2]], final_seq: null });
});

test('all of the holes are settled, however many', async () => {
  await send({ sequences: Array.from({ length: 250 }, (_, at) => 2 * (at + 1)) });
  await fallSilent();
  expect((await settle({})).json).toMatchObject({ accounts: 1, numbers: 250 });
  expect((await settle({ dry_run: false })).json).toMatchObject({ accounts: 1, numbers: 250 });
  expect(await deliveryRecords()).toHaveLength(1 + 250);
  expect(await account()).toMatchObject({ state: 'closed', numbers: 500 });
});

test('the caller gives producers or an age, and a reason, and needs the scope', async () => {
  const producer = await send({ sequences: [2] });
  const other = await send({ sequences: [2] });
  await fallSilent();
  const undefinedAge = { silent_seconds: undefined };
  expect((await settle(undefinedAge)).json).toMatchObject({ code: 'BODY_INVALID' });
  expect((await settle({ reason: undefined })).status).toBe(422);
  expect((await settle({ reason: 'a\0b' })).status).toBe(422);
  expect((await settle({ reason: 'x'.repeat(129) })).status).toBe(422);
  expect((await settle({ ...undefinedAge, producer_ids: [producer] })).json).toMatchObject({ accounts: 0 });
  expect((await settle({ dry_run: false, producer_ids: [producer] })).json).toMatchObject({ accounts: 1 });
  const { json } = await http.get(`/v1/audit/producers?tenant_id=${tenant}&silent_seconds=300`);
  expect(json.producers).toMatchObject([{ producer_id: other }]);

  const keyOf = async (scope: 'admin' | 'events:write', tenants: string[]) =>
    (await http.service.keys.create({ name: scope, scopes: [scope], tenants })).key;
  expect((await settle({}, await keyOf('events:write', [tenant]))).status).toBe(403);
  const stranger = await keyOf('admin', [newTenant()]);
  expect((await settle({}, stranger)).status).toBe(403);
  expect((await settle({ tenant_id: undefined }, stranger)).json).toMatchObject({ accounts: 0 });
});
