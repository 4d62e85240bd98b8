import { beforeAll, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { expectSoundChain } from '../chains.ts';
import { anItem, items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { putClock, type StoreClock } from '../store-clock.ts';
import { onEachStore } from '../stores.ts';

const minute = 60_000;

onEachStore((store) => {
  let clock: StoreClock;
  let writer: Writer;
  beforeAll(async () => {
    clock = await putClock(store());
    writer = new Writer(store().connect(), { logName });
  });

  test('a batch has one time: the clock of the store', async () => {
    const tenant = newTenant();
    await clock.set(Date.now() + 12_345);
    const outcomes = await writer.submit(items(5, tenant));
    const times = new Set(outcomes.map((outcome) => receiptOf(outcome).ingested_at));
    expect([...times]).toEqual([new Date(clock.now()).toISOString()]);
    const records = await expectSoundChain(store().database, tenant);
    expect(new Set(records.map((record) => record.ingested_at))).toEqual(times);
  });

  test('ingested_at never decreases, whatever the clock does', async () => {
    const tenant = newTenant();
    let last = '';
    for (const step of [0, 1, -minute, -minute, 30, -2 * minute, 10 * minute]) {
      await clock.advance(step);
      const [outcome] = await writer.submit([anItem(tenant)]);
      const { ingested_at } = receiptOf(outcome);
      expect(ingested_at >= last).toBe(true);
      last = ingested_at;
    }
    expect(Date.parse(last)).toBe(clock.now());
    await expectSoundChain(store().database, tenant);
  });

  test('a head more than five minutes ahead of the clock is not extended', async () => {
    const tenant = newTenant();
    await writer.submit([anItem(tenant)]);
    await clock.advance(-5 * minute - 1);
    const submitted = writer.submit([anItem(tenant)]);
    await expect(submitted).rejects.toMatchObject({
      code: 'CLOCK_BEHIND_CHAIN',
      details: { clock: new Date(clock.now()).toISOString() },
    });
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(2);
    await clock.advance(1);
    expect(statuses(await writer.submit([anItem(tenant)]))).toEqual(['chained']);
    await clock.advance(5 * minute);
  });

  test('a tenant whose head is ahead does not hold up the other submissions of its transaction', async () => {
    const [ahead, other] = [newTenant('ahead'), newTenant('other')];
    await writer.submit([anItem(ahead)]);
    await clock.advance(-10 * minute);
    // Three submissions share a transaction, and one of them cannot be stored.
    const [first, stuck, last] = await Promise.allSettled([
      writer.submit([anItem(other)]),
      writer.submit([anItem(ahead)]),
      writer.submit([anItem(other)]),
    ]);
    expect([first, last]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    expect(stuck).toMatchObject({ status: 'rejected', reason: { code: 'CLOCK_BEHIND_CHAIN' } });
    expect(await expectSoundChain(store().database, other)).toHaveLength(3);
    expect(await expectSoundChain(store().database, ahead)).toHaveLength(2);
    await clock.advance(10 * minute);
  });

  // A producer's batch contains several tenants. When the head of one of them was ahead of the clock, nothing of the batch
  // was stored.
  test('a tenant whose head is ahead does not hold up the other tenants of its submission', async () => {
    const [ahead, other] = [newTenant('ahead'), newTenant('other')];
    await writer.submit([anItem(ahead)]);
    await clock.advance(-10 * minute);
    const batch = [anItem(other), anItem(ahead), anItem(other), anItem(ahead)];
    for (let time = 0; time < 2; time++) {
      await expect(writer.submit(batch)).rejects.toMatchObject({
        code: 'CLOCK_BEHIND_CHAIN',
        details: { tenant_ids: [ahead] },
      });
      expect(await expectSoundChain(store().database, other)).toHaveLength(3);
      expect(await expectSoundChain(store().database, ahead)).toHaveLength(2);
    }
    await clock.advance(10 * minute);
    expect(statuses(await writer.submit(batch))).toEqual(['duplicate', 'chained', 'duplicate', 'chained']);
  });
});
