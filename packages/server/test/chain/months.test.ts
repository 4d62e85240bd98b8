import { uuidv7, uuidv8FromDigest } from '@tallystick/event';
import { sha256 } from '@tallystick/log';
import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, anItem, itemOf, type items, logName, newTenant, receiptOf, statuses } from '../events.ts';
import { putClock, type StoreClock } from '../store-clock.ts';
import { onEachStore } from '../stores.ts';

const minute = 60_000;
const hour = 60 * minute;

onEachStore((store) => {
  let clock: StoreClock;
  let writer: Writer;
  /** Start of the next month and of the one after. Their partitions exist already. */
  const today = new Date();
  const boundary = (months: number) => Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + months, 1);

  beforeAll(async () => {
    clock = await putClock(store());
    writer = new Writer(store().connect(), { logName });
  });

  const inMonth = async (tenant: string, ms: number) =>
    (await store().asOwner(`select 1 from ${partitionOf(ms)} where tenant_id = '${tenant}'`)).length;

  /** Stores a batch half an hour before a month begins, and sends it again half an hour after. */
  const acrossBoundary = async (tenant: string, batch: ReturnType<typeof items>) => {
    await clock.set(boundary(1) - 30 * minute);
    const first = await writer.submit(batch);
    expect(statuses(first)).toEqual(batch.map(() => 'chained'));
    await clock.set(boundary(1) + 30 * minute);
    const second = await writer.submit(batch);
    expect(statuses(second)).toEqual(batch.map(() => 'duplicate'));
    expect(second.map(receiptOf)).toEqual(first.map(receiptOf));
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(batch.length + 1);
    expect(await inMonth(tenant, boundary(1))).toBe(0);
  };

  describe('the same batch, sent on both sides of the end of a month, is stored once', () => {
    test.each([
      ['right', 0],
      ['an hour slow', -hour],
      ['an hour fast', hour],
    ])('by a client whose clock is %s', async (_, skew) => {
      const tenant = newTenant();
      // The client dates the ids. A client whose clock is an hour fast uses the month that has not begun.
      const ids = Array.from({ length: 20 }, (_, at) => idAt(boundary(1) - 30 * minute + skew + at));
      await acrossBoundary(
        tenant,
        ids.map((audit_id) => anItem(tenant, { audit_id })),
      );
    });

    test('with ids that contain no time: UUIDv4, and ids derived from a source', async () => {
      const tenant = newTenant();
      const ids = [
        crypto.randomUUID(),
        uuidv8FromDigest(sha256(`source ${tenant}`)),
        'c9bf9e57-1685-1c89-bafb-ff5af830be8a',
        '00000000-0000-0000-0000-000000000000',
      ];
      await acrossBoundary(
        tenant,
        ids.map((audit_id) => anItem(tenant, { audit_id })),
      );
    });
  });

  test('ids of two months ago are found, also those of a spool that is drained late', async () => {
    const tenant = newTenant();
    await clock.set(boundary(1) - hour);
    const batch = [
      anItem(tenant, { audit_id: crypto.randomUUID() }),
      anItem(tenant, { audit_id: idAt(1e12) }),
    ];
    await writer.submit(batch);
    await clock.set(boundary(2) + hour);
    const late = anItem(tenant, { audit_id: idAt(boundary(1)) });
    expect(statuses(await writer.submit([...batch, late]))).toEqual(['duplicate', 'duplicate', 'chained']);
    expect(await inMonth(tenant, boundary(2))).toBe(1);
    await expectSoundChain(store().database, tenant);
  });

  // The id of a conflict record is derived, so only a look-up finds it in an earlier month. The look-up covered the events
  // of a batch but not the records of the service, and the conflict was chained again in every month.
  test('a conflict that is repeated in another month adds nothing', async () => {
    const tenant = newTenant();
    await clock.set(boundary(1) - hour);
    const event = anEvent(tenant, { audit_id: crypto.randomUUID() });
    const rival = itemOf({ ...event, actor_id: 'mallory' });
    await writer.submit([itemOf(event)]);
    await writer.submit([rival]);
    await clock.set(boundary(1) + hour);
    expect(statuses(await writer.submit([rival, rival]))).toEqual(['conflict', 'conflict']);
    await clock.set(boundary(2) + hour);
    expect(statuses(await writer.submit([rival]))).toEqual(['conflict']);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(3);
  });

  test('an id dated two hours ahead of the store is refused: next month the look-up would skip it', async () => {
    const tenant = newTenant();
    await clock.set(boundary(1) - 30 * minute);
    await writer.submit([anItem(tenant, { audit_id: idAt(clock.now()) })]);
    const ahead = anItem(tenant, { audit_id: idAt(clock.now() + 2 * hour + minute) });
    const almost = anItem(tenant, { audit_id: idAt(clock.now() + 2 * hour - minute) });
    const outcomes = await writer.submit([ahead, almost]);
    expect(statuses(outcomes)).toEqual(['rejected', 'chained']);
    expect(outcomes[0]).toMatchObject({ deadLetter: { violations: [{ code: 'AUDIT_ID_AHEAD' }] } });
    await clock.set(boundary(1) + 20 * minute);
    expect(statuses(await writer.submit([almost]))).toEqual(['duplicate']);
    await expectSoundChain(store().database, tenant);
  });
});

/** A UUIDv7 of this time. The generator of the process is monotonic and cannot go back. */
function idAt(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${uuidv7().slice(13)}`;
}
