import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../../../src/app.ts';
import type { Batch } from '../../../../src/chain/batch.ts';
import type { SourceRange } from '../../../../src/chain/source-position.ts';
import { Joiner } from '../../../../src/ingest/kafka/partition/joiner.ts';
import { expectSoundChain } from '../../../chains.ts';
import { items, newTenant, statuses } from '../../../events.ts';
import { type Site, serverSite } from '../../../sites.ts';

let site: Site;
let service: AuditService;
/** Events of each transaction, as the service tells of its commits. */
let commits: number[];

beforeAll(async () => {
  site = await serverSite();
  service = await site.open();
});
afterAll(async () => {
  await service?.close();
  site?.remove();
});

const partOf = (partition: number, count: number, from = 0): Batch => {
  const range: SourceRange = {
    ...{ clusterId: 'c', topicId: 't', topic: 'joined', partition, from, next: from + count },
    offsets: Array.from({ length: count }, (_, at) => from + at),
  };
  return { items: items(count, newTenant()), range };
};

const newJoiner = (maxItems: number) => {
  commits = [];
  const counting: Pick<AuditService, 'appendRanges'> = {
    appendRanges: async (batches, hooks) => {
      const results = await service.appendRanges(batches, hooks);
      commits.push(batches.reduce((sum, batch) => sum + batch.items.length, 0));
      return results;
    },
  };
  return new Joiner(counting, { maxTransactions: 2, maxItems });
};

test('what is ready while one transaction commits goes into the next, each with its own result', async () => {
  const joiner = newJoiner(1_000);
  const parts = [partOf(0, 3), partOf(1, 2), partOf(2, 4)];
  const results = await Promise.all(parts.map((batch) => joiner.append({ batch })));
  expect(results.map(({ outcomes }) => statuses(outcomes))).toEqual(
    parts.map((batch) => batch.items.map(() => 'chained')),
  );
  expect(commits).toEqual([3, 6]);
  for (const batch of parts) {
    const [item] = batch.items;
    if (item === undefined || 'deadLetter' in item) throw new Error('the part has an event');
    const records = await expectSoundChain(service.database, item.event.tenant_id);
    expect(records).toHaveLength(batch.items.length + 1);
  }
});

test("one part's fault is its own: the others are stored, and it alone hears of it", async () => {
  const joiner = newJoiner(1_000);
  const first = joiner.append({ batch: partOf(10, 1) });
  const good = joiner.append({ batch: partOf(11, 2) });
  const ahead = joiner.append({ batch: partOf(12, 2, 5) });
  const other = joiner.append({ batch: partOf(13, 3) });
  await expect(ahead).rejects.toMatchObject({ code: 'SOURCE_POSITION_AHEAD', details: { next: 0 } });
  const sizes = (await Promise.all([first, good, other])).map(({ outcomes }) => outcomes.length);
  expect(sizes).toEqual([1, 2, 3]);
  expect(commits).toEqual([1, 2, 3]);
});

test('a transaction holds no more than its limit, and a second one runs beside it when there is enough', async () => {
  const joiner = newJoiner(10);
  const parts = Array.from({ length: 6 }, (_, at) => partOf(20 + at, 4));
  await Promise.all(parts.map((batch) => joiner.append({ batch })));
  expect(Math.max(...commits)).toBeLessThanOrEqual(10);
  expect(commits.reduce((sum, size) => sum + size, 0)).toBe(24);
});

test('parts that lock the same positions in another order do not wait for each other for ever', async () => {
  const [left, right] = [newJoiner(1_000), newJoiner(1_000)];
  const parts = [partOf(30, 2), partOf(31, 2), partOf(32, 2)];
  const all = [
    ...parts.map((batch) => left.append({ batch })),
    ...[...parts].reverse().map((batch) => right.append({ batch })),
  ];
  const results = await Promise.all(all);
  // Each part was applied once: whoever came second found it done.
  const chained = results.filter(({ outcomes }) =>
    outcomes.every((outcome) => outcome?.status === 'chained'),
  );
  expect(chained).toHaveLength(3);
  expect(results.filter(({ outcomes }) => outcomes.every((outcome) => outcome === undefined))).toHaveLength(
    3,
  );
});
