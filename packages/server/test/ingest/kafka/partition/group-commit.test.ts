import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../../../src/app.ts';
import type { Batch } from '../../../../src/chain/batch.ts';
import type { SourceRange } from '../../../../src/chain/source-position.ts';
import { GroupCommit } from '../../../../src/ingest/kafka/partition/group-commit.ts';
import { expectSoundChain } from '../../../chains.ts';
import { items, newTenant, statuses } from '../../../events.ts';
import { type Site, serverSite } from '../../../sites.ts';

let site: Site;
let service: AuditService;
/** Number of events of each transaction. */
let commits: number[];

beforeAll(async () => {
  site = await serverSite();
  service = await site.open();
});
afterAll(async () => {
  await service?.close();
  site?.remove();
});

const batchOf = (partition: number, count: number, from = 0): Batch => {
  const range: SourceRange = {
    ...{ clusterId: 'c', topicId: 't', topic: 'grouped', partition, from, next: from + count },
    offsets: Array.from({ length: count }, (_, at) => from + at),
  };
  return { items: items(count, newTenant()), range };
};

const newGroupCommit = (maxItems: number) => {
  commits = [];
  const counting: Pick<AuditService, 'appendRanges'> = {
    appendRanges: async (batches, options) => {
      const results = await service.appendRanges(batches, options);
      commits.push(batches.reduce((sum, batch) => sum + batch.items.length, 0));
      return results;
    },
  };
  return new GroupCommit(counting, { maxTransactions: 2, maxItems });
};

test('what is ready while one transaction commits goes into the next, each with its own result', async () => {
  const groupCommit = newGroupCommit(1_000);
  const batches = [batchOf(0, 3), batchOf(1, 2), batchOf(2, 4)];
  const results = await Promise.all(batches.map((batch) => groupCommit.append(batch)));
  expect(results.map(({ outcomes }) => statuses(outcomes))).toEqual(
    batches.map((batch) => batch.items.map(() => 'chained')),
  );
  expect(commits).toEqual([3, 6]);
  for (const batch of batches) {
    const [item] = batch.items;
    if (item === undefined || 'deadLetter' in item) throw new Error('the batch has no event');
    const records = await expectSoundChain(service.database, item.event.tenant_id);
    expect(records).toHaveLength(batch.items.length + 1);
  }
});

test('a batch that fails does so alone: the others are stored', async () => {
  const groupCommit = newGroupCommit(1_000);
  const first = groupCommit.append(batchOf(10, 1));
  const good = groupCommit.append(batchOf(11, 2));
  const ahead = groupCommit.append(batchOf(12, 2, 5));
  const other = groupCommit.append(batchOf(13, 3));
  await expect(ahead).rejects.toMatchObject({ code: 'SOURCE_POSITION_AHEAD', details: { next: 0 } });
  const sizes = (await Promise.all([first, good, other])).map(({ outcomes }) => outcomes.length);
  expect(sizes).toEqual([1, 2, 3]);
  expect(commits).toEqual([1, 2, 3]);
});

test('a transaction holds no more than its limit, and a second one runs beside it when there is enough', async () => {
  const groupCommit = newGroupCommit(10);
  const batches = Array.from({ length: 6 }, (_, at) => batchOf(20 + at, 4));
  await Promise.all(batches.map((batch) => groupCommit.append(batch)));
  expect(Math.max(...commits)).toBeLessThanOrEqual(10);
  expect(commits.reduce((sum, size) => sum + size, 0)).toBe(24);
});

test('batches that lock the same positions in another order do not deadlock', async () => {
  const [left, right] = [newGroupCommit(1_000), newGroupCommit(1_000)];
  const batches = [batchOf(30, 2), batchOf(31, 2), batchOf(32, 2)];
  const all = [
    ...batches.map((batch) => left.append(batch)),
    ...[...batches].reverse().map((batch) => right.append(batch)),
  ];
  const results = await Promise.all(all);
  // Each batch was applied once: the second transaction found it stored.
  const chained = results.filter(({ outcomes }) =>
    outcomes.every((outcome) => outcome?.status === 'chained'),
  );
  expect(chained).toHaveLength(3);
  expect(results.filter(({ outcomes }) => outcomes.every((outcome) => outcome === undefined))).toHaveLength(
    3,
  );
});
