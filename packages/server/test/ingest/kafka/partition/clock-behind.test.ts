import { beforeAll, expect, test } from 'vitest';
import { appendBatches } from '../../../../src/chain/append-batch.ts';
import { Writer } from '../../../../src/chain/writer.ts';
import { GroupCommit } from '../../../../src/ingest/kafka/partition/group-commit.ts';
import { PartitionStore } from '../../../../src/ingest/kafka/partition/partition-store.ts';
import type { PreparedRange } from '../../../../src/ingest/kafka/partition/prepared-range.ts';
import { RangeQueue } from '../../../../src/ingest/kafka/partition/range-queue.ts';
import { StoredPosition } from '../../../../src/ingest/kafka/partition/stored-position.ts';
import { expectSoundChain } from '../../../chains.ts';
import { anItem, logName, newTenant } from '../../../events.ts';
import { putClock, type StoreClock } from '../../../store-clock.ts';
import { onEachStore } from '../../../stores.ts';

const minute = 60_000;
const topic = { name: 'audit.events', id: 't', clusterId: 'c', partitions: 1 };

// One chain whose head was ahead of the clock held its whole partition, and each transaction that it was part of.
onEachStore((store) => {
  let clock: StoreClock;
  beforeAll(async () => {
    clock = await putClock(store());
  });

  const rangeOf = (from: number, tenants: readonly string[]): PreparedRange => ({
    from,
    next: from + tenants.length,
    leaderEpoch: 0,
    lost: false,
    messages: tenants.map((tenant, at) => ({
      items: [anItem(tenant)],
      statement: undefined,
      offset: from + at,
      size: 1,
      leaderEpoch: 0,
    })),
  });

  /** A partition that stores ranges, and another partition whose batches share its transactions. */
  const open = (now = Date.now) => {
    const database = store().connect();
    const groupCommit = new GroupCommit(
      { appendRanges: (batches) => appendBatches(database, batches, { logName }) },
      { maxTransactions: 1, maxItems: 1_000 },
    );
    const reasons: string[] = [];
    const retries: string[] = [];
    const options = {
      topic: { ...topic, id: newTenant('topic') },
      partition: 0,
      database,
      serviceTenant: 'service',
      now,
      groupCommit,
      acceptRestored: false,
      committedOffset: async () => undefined,
      commitOffset: async () => {},
      observer: {
        onDeadLetter: (reason: string) => reasons.push(reason),
        onRetry: (reason: string) => retries.push(reason),
      },
    };
    const position = new StoredPosition(options);
    const partition = new PartitionStore(options, position, new AbortController().signal);
    const queue = new RangeQueue({ maxBatch: 10, maxBatchBytes: 1_000 });
    return { database, groupCommit, reasons, retries, position, partition, queue };
  };

  test('events of a chain that is ahead of the clock wait as dead letters, and those after them are chained', async () => {
    const { database, groupCommit, reasons, position, partition, queue } = open();
    const [ahead, other] = [newTenant('ahead'), newTenant('other')];
    await clock.advance(10 * minute);
    await new Writer(database, { logName }).submit([anItem(ahead)]);
    await clock.advance(-10 * minute);

    // Another partition has its batch in the same transaction.
    const beside = groupCommit.append({ items: [anItem(other)] });
    queue.put(rangeOf(0, [other, ahead, other]));
    queue.put(rangeOf(3, [other]));
    const storing = partition.storeFrom(queue);
    await beside;
    await expect.poll(() => position.next).toBe(4);
    queue.close();
    await storing;

    expect(reasons).toEqual(['CLOCK_BEHIND_CHAIN']);
    expect(await expectSoundChain(database, other)).toHaveLength(5);
    expect(await expectSoundChain(database, ahead)).toHaveLength(2);
    const letters = await store().asOwner<{ tenant_id: string; source: string }>(
      "select tenant_id, source from audit_dead_letters where reason = 'CLOCK_BEHIND_CHAIN' and state = 'open'",
    );
    expect(letters.map(({ tenant_id }) => tenant_id)).toEqual([ahead]);
  });

  // The campaign of faults found that a database whose clock went back turned the events of every active tenant into dead letters.
  test('if the clock of the store itself went back, the partition waits until it is right, and no event is refused', async () => {
    const { database, reasons, retries, position, partition, queue } = open();
    const tenant = newTenant();
    await new Writer(database, { logName }).submit([anItem(tenant)]);
    await clock.advance(-10 * minute);
    queue.put(rangeOf(0, [tenant, tenant]));
    const storing = partition.storeFrom(queue);
    await expect.poll(() => retries.length).toBeGreaterThan(0);
    await clock.advance(10 * minute);
    await expect.poll(() => position.next, { timeout: 20_000 }).toBe(2);
    queue.close();
    await storing;
    expect(reasons).toEqual([]);
    expect(new Set(retries)).toEqual(new Set(['CLOCK_BEHIND_CHAIN']));
    expect(await expectSoundChain(database, tenant)).toHaveLength(4);
  });

  test('whether the clock of the store went back is judged by the clock that the service was given', async () => {
    const day = 24 * 60 * minute;
    const { database, reasons, retries, position, partition, queue } = open(() => Date.now() + day);
    const tenant = newTenant();
    await clock.advance(day);
    await new Writer(database, { logName }).submit([anItem(tenant)]);
    await clock.advance(-10 * minute);
    queue.put(rangeOf(0, [tenant]));
    const storing = partition.storeFrom(queue);
    await expect.poll(() => retries.length + reasons.length).toBeGreaterThan(0);
    await clock.advance(10 * minute);
    await expect.poll(() => position.next, { timeout: 20_000 }).toBe(1);
    queue.close();
    await storing;
    await clock.advance(-day);
    expect(reasons).toEqual([]);
  });
});
