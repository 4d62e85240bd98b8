import { createGenesisRecord, formatOrigin } from '@tallystick/log';
import { beforeAll, describe, expect, test } from 'vitest';
import { storedEventsSql } from '../../src/chain/duplicates.ts';
import { Writer } from '../../src/chain/writer.ts';
import { declaredIntentsSql } from '../../src/followers/open-intents/apply.ts';
import { writer as writerAccess } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, anItem, itemOf, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { type ExplainRow, rowsRead } from '../plans.ts';
import { onEachStore } from '../stores.ts';

onEachStore((store) => {
  let writer: Writer;
  beforeAll(() => {
    writer = new Writer(store().database, { logName });
  });

  test('the same batch sent twice is stored once, and answered with the first receipts', async () => {
    const tenant = newTenant();
    const batch = items(50, tenant);
    const first = await writer.submit(batch);
    const second = await writer.submit(batch);
    expect(statuses(second)).toEqual(new Array(50).fill('duplicate'));
    expect(second.map(receiptOf)).toEqual(first.map(receiptOf));
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(51);
  });

  test('the same batch sent by ten replicas at once is stored once', async () => {
    const tenant = newTenant();
    const batch = items(30, tenant);
    const replicas = Array.from({ length: 10 }, () => new Writer(store().connect(), { logName }));
    const all = await Promise.all(replicas.map((replica) => replica.submit(batch)));
    expect(all.flatMap(statuses).filter((status) => status === 'chained')).toHaveLength(30);
    for (const outcomes of all) expect(outcomes.map(receiptOf)).toEqual(all[0]!.map(receiptOf));
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(31);
  });

  test('new events between duplicates are chained in their order', async () => {
    const tenant = newTenant();
    const [a, b, c] = items(3, tenant) as [never, never, never];
    await writer.submit([b]);
    const outcomes = await writer.submit([a, b, c]);
    expect(statuses(outcomes)).toEqual(['chained', 'duplicate', 'chained']);
    expect(outcomes.map((outcome) => receiptOf(outcome).sequence_number)).toEqual([2, 1, 3]);
    await expectSoundChain(store().database, tenant);
  });

  // Without statistics of the table, the planner took the whole chain for one row, and read it for each event that it looked up. A
  // repeated delivery to a chain of 4,587 records took more than a second.
  test.each(['force_custom_plan', 'force_generic_plan'])(
    'a lookup does not read the chain (%s)',
    async (mode) => {
      const tenant = newTenant();
      await writer.submit(items(1_500, tenant));
      const sought = items(20, tenant);
      await writer.submit(sought);
      const ids = sought.map(({ event }) => event.audit_id);
      const lookups = [
        [storedEventsSql, [ids.map(() => tenant), ids]],
        [declaredIntentsSql, [tenant, ids, 1, 10_000]],
      ] as const;
      await store().database.transaction(writerAccess, async (session) => {
        await session.query(`set local plan_cache_mode = ${mode}`);
        // With sequential scans of small tables, the count would say nothing about the index.
        await session.query('set local enable_seqscan = off');
        for (const [sql, parameters] of lookups) {
          const plan = await session.query<ExplainRow>(
            `explain (analyze, timing off, format json) ${sql}`,
            parameters,
          );
          expect(rowsRead(plan, 'audit_records'), sql).toBe(ids.length);
        }
      });
    },
  );

  test('an event that a batch contains twice is stored once, and both items get its receipt', async () => {
    const tenant = newTenant();
    const [once, other] = items(2, tenant) as [never, never];
    const outcomes = await writer.submit([once, other, once]);
    expect(statuses(outcomes)).toEqual(['chained', 'chained', 'duplicate']);
    expect(receiptOf(outcomes[2])).toEqual(receiptOf(outcomes[0]));
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(3);
  });

  test('the same id in another tenant is another event', async () => {
    const [mine, theirs] = [newTenant(), newTenant()];
    const event = anEvent(mine);
    const outcomes = await writer.submit([itemOf(event), itemOf({ ...event, tenant_id: theirs })]);
    expect(statuses(outcomes)).toEqual(['chained', 'chained']);
  });

  test('the order of members and white space do not make another event', async () => {
    const tenant = newTenant();
    const event = anEvent(tenant, { metadata: { b: 1, a: { '10': 1, '9': 2 } } });
    await writer.submit([itemOf(event)]);
    const reversed = Object.fromEntries(Object.entries(event).reverse()) as typeof event;
    expect(statuses(await writer.submit([itemOf(reversed)]))).toEqual(['duplicate']);
  });

  // COPY is streamed: the server finds the duplicate in the first row while megabytes have not arrived yet.
  test('a duplicate at the start of a batch of many megabytes', async () => {
    const tenant = newTenant();
    const big = { metadata: { text: 'x'.repeat(40_000) } };
    const batch = items(400, tenant, big);
    await writer.submit(batch.slice(0, 1));
    const outcomes = await writer.submit(batch);
    expect(statuses(outcomes)).toEqual(['duplicate', ...new Array(399).fill('chained')]);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(401);
    expect(statuses(await writer.submit([anItem(tenant)]))).toEqual(['chained']);
  });

  describe('an id that the service derives for itself', () => {
    // An attacker can compute the id of a future genesis record. When an event of the batch that writes the genesis used
    // this id, the two collided in the unique index at every attempt, and the batch could never be stored.
    test("can't be taken by an event of the batch that writes the genesis", async () => {
      const tenant = newTenant();
      const { event: genesis } = createGenesisRecord({
        tenantId: tenant,
        origin: formatOrigin({ logName, tenantId: tenant, epoch: 1 }),
        epoch: 1,
        ingestedAt: '2026-01-01T00:00:00.000Z',
        nonce: '0'.repeat(32),
      });
      const taken = anItem(tenant, { audit_id: genesis.audit_id });
      const outcomes = await writer.submit([anItem(tenant), taken, anItem(tenant)]);
      expect(statuses(outcomes)).toEqual(['chained', 'conflict', 'chained']);
      expect(statuses(await writer.submit([taken]))).toEqual(['conflict']);
      const records = await expectSoundChain(store().database, tenant);
      expect(records.map(({ event }) => event.event_type)).toEqual([
        'system.genesis',
        'access.granted',
        'delivery.conflict',
        'access.granted',
      ]);
    });
  });
});
