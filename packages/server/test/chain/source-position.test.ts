import { describe, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import type { BatchItem } from '../../src/chain/batch.ts';
import type { SourceRange } from '../../src/chain/source-position.ts';
import { readPositions, rewindPosition } from '../../src/chain/source-position.ts';
import { expectSoundChain } from '../chains.ts';
import { items, logName, newTenant, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

onEachStore((store) => {
  /** A topic of its own, whose messages are events of one tenant. */
  const newTopic = (count: number) => {
    const tenant = newTenant();
    const messages = items(count, tenant);
    const rangeOf = (from: number, next: number): SourceRange => ({
      clusterId: 'cluster',
      topicId: `id of ${tenant}`,
      topic: 'audit.events',
      partition: 0,
      from,
      next,
      offsets: Array.from({ length: next - from }, (_, at) => from + at),
    });
    const apply = async (from: number, next: number, partition = 0, database = store().database) => {
      const range = { ...rangeOf(from, next), partition };
      const batch: readonly BatchItem[] = messages.slice(from, next);
      return statuses((await appendBatch(database, { items: batch, range }, { logName })).outcomes);
    };
    const stored = async () =>
      await store().asOwner(
        `select partition, next_offset::int as next from audit_source_positions
          where topic_id = 'id of ${tenant}' order by partition`,
      );
    return { tenant, rangeOf, messages, apply, stored };
  };
  const chained = (count: number) => new Array(count).fill('chained');

  test('the position advances with the batch', async () => {
    const { tenant, apply, stored } = newTopic(5);
    expect(await apply(0, 3)).toEqual(chained(3));
    expect(await stored()).toEqual([{ partition: 0, next: 3 }]);
    expect(await apply(3, 5)).toEqual(chained(2));
    expect(await stored()).toEqual([{ partition: 0, next: 5 }]);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(6);
  });

  describe("the partition's leader epoch", () => {
    /** Applies one range per message, each with this leader epoch. */
    const inTerms = async (...terms: (number | undefined)[]) => {
      const { rangeOf, messages } = newTopic(terms.length);
      for (const [from, leaderEpoch] of terms.entries()) {
        const range = { ...rangeOf(from, from + 1), leaderEpoch };
        await appendBatch(store().database, { items: messages.slice(from, from + 1), range }, { logName });
      }
      const source = rangeOf(0, 1);
      const read = async () => (await readPositions(store().database, source)).get(source.topicId);
      return { source, read };
    };

    test('is kept with the position', async () => {
      const { source, read } = await inTerms(3, 3, 5);
      expect(await read()).toEqual({ next: 3, leaderEpoch: 5 });
      // A range that was applied before changes nothing.
      await appendBatch(
        store().database,
        { items: [], range: { ...source, from: 1, next: 2, offsets: [], leaderEpoch: 3 } },
        { logName },
      );
      expect(await read()).toEqual({ next: 3, leaderEpoch: 5 });
    });

    test('is unknown if the last range does not contain it', async () => {
      const { read } = await inTerms(3, undefined);
      expect(await read()).toEqual({ next: 2, leaderEpoch: undefined });
    });

    test('is unknown if an older version moved the position', async () => {
      const { source, read } = await inTerms(3);
      await store().asOwner('update audit_source_positions set next_offset = 9 where topic_id = $1', [
        source.topicId,
      ]);
      expect(await read()).toEqual({ next: 9, leaderEpoch: undefined });
    });

    test('is forgotten when the position is set back; the position is never set forward', async () => {
      const { source, read } = await inTerms(3, 4);
      await rewindPosition(store().database, source, 7);
      expect(await read()).toEqual({ next: 2, leaderEpoch: 4 });
      await rewindPosition(store().database, source, 1);
      expect(await read()).toEqual({ next: 1, leaderEpoch: undefined });
    });
  });

  test('an exact replay changes nothing', async () => {
    const { tenant, apply, stored } = newTopic(3);
    await apply(0, 3);
    const before = await expectSoundChain(store().database, tenant);
    expect(await apply(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(await apply(1, 2)).toEqual([undefined]);
    expect(await stored()).toEqual([{ partition: 0, next: 3 }]);
    expect(await expectSoundChain(store().database, tenant)).toEqual(before);
  });

  test('messages of an overlapping range that were applied before are skipped', async () => {
    const { tenant, apply, stored } = newTopic(6);
    await apply(0, 4);
    expect(await apply(2, 6)).toEqual([undefined, undefined, 'chained', 'chained']);
    expect(await stored()).toEqual([{ partition: 0, next: 6 }]);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(7);
  });

  test('a range ahead of the position is refused, and the error names the stored position', async () => {
    const { tenant, apply, stored } = newTopic(9);
    await expect(apply(1, 3)).rejects.toMatchObject({
      code: 'SOURCE_POSITION_AHEAD',
      details: { from: 1, next: 0 },
    });
    await apply(0, 3);
    await expect(apply(4, 9)).rejects.toMatchObject({
      code: 'SOURCE_POSITION_AHEAD',
      details: { topic: 'audit.events', partition: 0, from: 4, next: 3 },
    });
    expect(await stored()).toEqual([{ partition: 0, next: 3 }]);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(4);
  });

  test('offsets without a message, such as transaction markers, are skipped', async () => {
    const { tenant, rangeOf, messages, stored } = newTopic(2);
    const range = { ...rangeOf(0, 10), offsets: [3, 7] };
    await appendBatch(store().database, { items: messages, range }, { logName });
    expect(await stored()).toEqual([{ partition: 0, next: 10 }]);
    const empty = { ...rangeOf(10, 12), offsets: [] };
    await appendBatch(store().database, { items: [], range: empty }, { logName });
    expect(await stored()).toEqual([{ partition: 0, next: 12 }]);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(3);
  });

  test('partitions, and a topic that was created again under its old name, have separate positions', async () => {
    const { tenant, apply, stored } = newTopic(4);
    await apply(0, 4);
    // The same events through another partition are duplicates; the partition itself is new.
    expect(await apply(0, 2, 1)).toEqual(['duplicate', 'duplicate']);
    expect(await stored()).toEqual([
      { partition: 0, next: 4 },
      { partition: 1, next: 2 },
    ]);
    const anew = newTopic(2);
    expect(await anew.apply(0, 2)).toEqual(chained(2));
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(5);
  });

  test('ten consumers that all own a range in their own view apply it once', async () => {
    const { tenant, apply } = newTopic(20);
    const consumers = Array.from({ length: 10 }, () => store().connect());
    const results = await Promise.all(consumers.map((database) => apply(0, 20, 0, database)));
    expect(results.flat().filter((status) => status === 'chained')).toHaveLength(20);
    expect(results.flat().filter((status) => status === undefined)).toHaveLength(180);
    expect(await expectSoundChain(store().database, tenant)).toHaveLength(21);
  });
});
