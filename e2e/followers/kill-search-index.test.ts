import { uuidv7 } from '@tallystick/event';
import { Trail, verifyRange } from '@tallystick/server';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage } from './stage.ts';

const follower = 'search-index';
const tenant = 'searched';

/** Every 41st event has the needle; a seventh of all has an address in 10.1.0.0/16. */
const isNeedle = (index: number) => index % 41 === 0;
const hasAddress = (index: number) => index % 7 === 1;
const searches: readonly (readonly [q: string, matches: (index: number) => boolean])[] = [
  ['needle', isNeedle],
  ['"needle in the hay" 10.1.0.0/16', (index) => isNeedle(index) && hasAddress(index)],
  ['need* -10.1.0.0/16', (index) => isNeedle(index) && !hasAddress(index)],
];

let stage: Stage;
/** A request of this reader has a small budget, so that a part of the chain that is not indexed is more than it may read. */
let trail: Trail;
/** How many events are chained. The event at an index is the record at the number after it: the first record opens the chain. */
let chained = 0;
beforeAll(async () => {
  stage = await Stage.open(0);
  trail = new Trail(stage.service.database, { records: 500 });
}, 120_000);
afterAll(() => stage?.close(), 120_000);

async function chain(count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => {
    const index = chained + at;
    return {
      audit_id: uuidv7(),
      tenant_id: tenant,
      timestamp: new Date().toISOString(),
      event_type: 'content.publish',
      actor_type: 'user',
      actor_id: 'ann',
      source_service: 'followers-test',
      metadata: {
        note: isNeedle(index) ? 'a needle in the hay' : 'hay',
        address: `10.${hasAddress(index) ? 1 : 2}.0.9`,
      },
    };
  });
  await stage.submit(events);
  chained += count;
}

/** The searches whose pages together are not the records that match, each once and in order. */
async function wrongAnswers(): Promise<string[]> {
  const wrong: string[] = [];
  for (const [q, matches] of searches) {
    const ascending = Array.from({ length: chained }, (_, index) => index).filter(matches);
    for (const order of ['asc', 'desc'] as const) {
      const expected = (order === 'asc' ? ascending : ascending.toReversed()).map((index) => index + 1);
      const found: unknown[] = [];
      let cursor: string | undefined;
      do {
        const query = { tenantId: tenant, q, order, limit: 1_000, cursor };
        const page = await trail.list(query, { sensitive: true });
        found.push(...page.events.map((event) => event.sequence_number));
        cursor = page.nextCursor;
        // No page is full, so only a page that ended early has a next one, and it says so.
        if (page.isCut !== (cursor !== undefined)) wrong.push(`${q}, ${order}: cut is ${page.isCut}`);
      } while (cursor !== undefined);
      if (found.join() !== expected.join()) wrong.push(`${q}, ${order}: ${found.join()}`);
    }
  }
  return wrong;
}

/** Searches again and again until a condition holds. Every answer must be right. */
async function searchUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  let wrong: readonly string[] = [];
  await until(
    async () => {
      wrong = await wrongAnswers();
      return wrong.length > 0 || (await condition());
    },
    { timeoutMs: 60_000, what },
  );
  expect(wrong).toEqual([]);
}

/** What the first page of a search says of itself. */
async function firstPage(): Promise<object> {
  const { isCut, indexedTo } = await trail.list({ tenantId: tenant, q: 'needle' }, { sensitive: true });
  return { isCut, indexedTo };
}

/** The last record that a generation of the index has. */
async function reachOf(generation: number): Promise<number> {
  const [row] = await stage.asOwner<{ reach: string }>(
    `select sequence_number::text as reach from audit_follower_cursors
      where follower = $1 and tenant_id = $2 and generation = $3`,
    [follower, tenant, generation],
  );
  return Number(row?.reach ?? -1);
}

/** The rows of a generation, each with the transaction that wrote it. */
async function rowsOf(generation: number): Promise<object[]> {
  return await stage.asOwner(
    `select sequence_number::text as sequence, xmin::text as written from audit_search_terms
      where tenant_id = $1 and generation = $2 order by sequence_number`,
    [tenant, generation],
  );
}

/** What a verification finds, which derives the terms of all records that the index says it has. */
async function findings(): Promise<string[]> {
  const report = await verifyRange(stage.service, trail, { tenantId: tenant, fresh: true });
  return report.findings.map(({ code, sequence_number, found }) => `${code} ${sequence_number} ${found}`);
}

/**
 * Waits until the replica has killed itself in the middle, and looks at what it left.
 *
 * @returns the rows of the generation that it was filling
 */
async function leftByKilled(generation: number): Promise<object[]> {
  const [replica] = stage.replicas;
  await searchUntil(() => replica!.isStruck, 'the end of the replica');
  expect(replica!.endedBy).toBe('SIGKILL');
  const reach = await reachOf(generation);
  expect(reach).toBeGreaterThan(0);
  expect(reach).toBeLessThan(chained);
  // Rows and cursor commit together.
  const rows = await rowsOf(generation);
  expect(rows).toHaveLength(reach + 1);
  expect(await wrongAnswers()).toEqual([]);
  expect(await findings()).toEqual([]);
  return rows;
}

/** Starts a replica in place of the killed one, and waits until readers use a generation that has everything. */
async function completes(generation: number): Promise<void> {
  await stage.replace(stage.replicas[0]!);
  await searchUntil(async () => {
    const info = await stage.service.followerOperations.get(follower);
    return info.building === null && info.records === 0;
  }, 'an index of everything');
  expect(await reachOf(generation)).toBe(chained);
  expect(await firstPage()).toEqual({ isCut: false, indexedTo: undefined });
  expect(await findings()).toEqual([]);
}

test('the index is filled, and made anew, by processes that are killed in the middle, while searches stay right', {
  timeout: 180_000,
}, async () => {
  const { followerOperations } = stage.service;
  // Paused, so that the replica reads nothing before it knows where to end.
  await followerOperations.pause(follower, 'test');
  const replica = await stage.addReplica();
  for (let count = 0; count < 4; count++) await chain(500);
  expect(await firstPage()).toEqual({ isCut: true, indexedTo: -1 });
  replica.arm({ follower, stage: 'applied', visit: 4, signal: 'SIGKILL' });
  await followerOperations.resume(follower);

  const filled = await leftByKilled(1);
  expect(await firstPage()).toEqual({ isCut: true, indexedTo: await reachOf(1) });
  await completes(1);
  // The same rows are there: the next process went on at the cursor, and wrote none of them again.
  const whole = await rowsOf(1);
  expect(whole).toHaveLength(chained + 1);
  expect(whole.slice(0, filled.length)).toEqual(filled);

  stage.replicas[0]!.arm({ follower, stage: 'committed', visit: 4, signal: 'SIGKILL' });
  await followerOperations.reset(follower);
  const rebuilt = await leftByKilled(2);
  // Readers still have the whole index of before.
  expect(await followerOperations.get(follower)).toMatchObject({ generation: 1, building: 2 });
  expect(await rowsOf(1)).toEqual(whole);
  expect(await firstPage()).toEqual({ isCut: false, indexedTo: undefined });
  // Written while no process indexes.
  await chain(100);
  expect(await wrongAnswers()).toEqual([]);
  await completes(2);
  const anew = await rowsOf(2);
  expect(anew).toHaveLength(chained + 1);
  expect(anew.slice(0, rebuilt.length)).toEqual(rebuilt);
  await searchUntil(async () => (await rowsOf(1)).length === 0, 'the end of the old rows');
});

// Proves that the comparison of the test above can fail.
test('a row that lacks a term is a finding', async () => {
  await stage.asOwner(
    'update audit_search_terms set terms = terms[2:] where tenant_id = $1 and sequence_number = 1',
    [tenant],
  );
  expect(await findings()).toEqual([
    'INDEX_MISMATCH 1 in the search index: other terms than those of the record',
  ]);
});
