import { startPostgres, tempDir } from '@tallystick/testing';
import { PostgresDatabase } from '../packages/server/src/store/postgres.ts';
import { TrailStats } from '../packages/server/src/trail/stats/stats.ts';
import { Trail } from '../packages/server/src/trail/trail.ts';
import { buildStore, type MadeStore } from './query/build-store.ts';
import { Meter } from './query/costs.ts';
import { benchTenant } from './query/made-events.ts';
import { pageRate } from './query/page-rate.ts';
import { common, pairs, type Query, ranges, rare, searches, withoutMatches } from './query/queries.ts';
import { median, type Result } from './result.ts';

/** How the benchmark is run. */
export interface QueryOptions {
  /** Records of the large store; the other one has a tenth of them, in three months. @defaultValue 200000 */
  readonly rows?: number | undefined;
  /** @defaultValue 84 */
  readonly partitions?: number | undefined;
  /** Where the stores are kept between runs: five million records take 22 GB, and on two busy cores 40 minutes to make. @defaultValue nowhere */
  readonly data?: string | undefined;
}

const rounds = 100;
const yearMs = 365 * 24 * 3_600_000;

interface Measured {
  readonly store: MadeStore;
  readonly database: PostgresDatabase;
  readonly meter: Meter;
  readonly trail: Trail;
  readonly stats: TrailStats;
}

interface Work {
  readonly name: string;
  /** Most ms at p99. */
  readonly goal: number;
  /** Whether the large store may take at most 1.5 times as long as the small one. */
  readonly isCompared?: boolean;
  /** Whether a page may end before it has looked at everything. */
  readonly mayBeCut?: boolean;
  readonly run: (on: Measured) => Promise<Answer>;
}

interface Answer {
  readonly isComplete: boolean;
  /** Events on the page. The small store has fewer of some values than a page has room for, and a row takes about 30 µs. */
  readonly listed?: number;
}

/**
 * How long it takes to find records in a large store of many months, beside a small one. Both are asked in turn, so that what else the machine
 * does affects both. Processor time, blocks and rows are printed too, because they hardly depend on that.
 */
export async function run({ rows = 200_000, partitions = 84, data }: QueryOptions = {}): Promise<Result[]> {
  using directory = tempDir();
  const postgres = await startPostgres({
    durable: false,
    dataDir: data ?? directory.path,
    settings: {
      max_wal_size: '4GB',
      checkpoint_timeout: '30min',
      maintenance_work_mem: '512MB',
      shared_buffers: '512MB',
    },
  });
  try {
    const small = Math.floor(rows / 10);
    const stores = [
      await buildStore(postgres, `q${rows}x${partitions}`, { rows, months: partitions }),
      await buildStore(postgres, `q${small}x3`, { rows: small, months: 3 }),
    ];
    const measured = await Promise.all(stores.map(open));
    const results: Result[] = [];
    for (const work of [...pagesOf(), ...countsOf()]) results.push(await compare(work, measured));
    results.push(...(await allPairs(measured[0]!)));
    await Promise.all(measured.map(close));
    const rates = await pageRate(stores[0]!.url);
    results.push(rateResult('the newest page again', rates.newest), rateResult('by cursors', rates.walked));
    const missed = results.filter(({ pass }) => pass === false);
    console.log(`${results.length - missed.length} of ${results.length} goals met`);
    for (const { name, goal } of missed) console.log(`    MISSED ${name} (${goal})`);
    return results;
  } finally {
    await postgres.stop();
  }
}

async function open(store: MadeStore): Promise<Measured> {
  const database = new PostgresDatabase({ url: store.url, maxConnections: 1 });
  const meter = await Meter.open(database, store.ownerUrl);
  const trail = new Trail(database);
  return { store, database, meter, trail, stats: new TrailStats(database, trail) };
}

async function close({ database, meter }: Measured): Promise<void> {
  await meter.close();
  await database.close();
}

function pageOf({ filters, q }: Query, { trail }: Measured) {
  const limit = q === undefined ? 100 : 50;
  return trail.rows({ tenantId: benchTenant, filters, q, limit, includeReads: false }, { sensitive: true });
}

function pagesOf(): Work[] {
  const page = (query: Query, goal: number): Work => ({
    name: query.name,
    goal,
    run: async (on) => {
      const { rows, isCut } = await pageOf(query, on);
      return { isComplete: !isCut, listed: rows.length };
    },
  });
  return [
    ...[...ranges, ...common, ...rare].map((query) => ({ ...page(query, 15), isCompared: true })),
    // It ends with its budget, which costs about so much, and says so.
    ...withoutMatches.map((query) => ({
      ...page(query, 100),
      name: `no match: ${query.name}`,
      mayBeCut: true,
    })),
    ...searches.map((query) => page(query, 50)),
  ];
}

function countsOf(): Work[] {
  const now = Date.now();
  const since = (ms: number) => ({ from: new Date(now - ms).toISOString() });
  const facets = ['event_type', 'severity', 'outcome_status', 'source_service', 'actor'] as const;
  return [
    {
      name: 'facets of a month, five fields',
      goal: 100,
      // The month of the small store has more rows of counts than one request reads.
      mayBeCut: true,
      run: async ({ stats }) => {
        const groupings = facets.map((field) => ({ fields: [field] }));
        const query = { tenantId: benchTenant, filters: since(yearMs / 12), groupings };
        return { isComplete: (await stats.count(query, { sensitive: true })).complete };
      },
    },
    {
      name: 'histogram of a year by day',
      goal: 150,
      run: async ({ stats }) => {
        const groupings = [{ fields: [], time: 'day' }] as const;
        const query = { tenantId: benchTenant, filters: since(yearMs), groupings };
        return { isComplete: (await stats.count(query, { sensitive: true })).complete };
      },
    },
  ];
}

async function compare(
  { name, goal, isCompared = false, mayBeCut = false, run: ask }: Work,
  measured: readonly Measured[],
): Promise<Result> {
  const costs = measured.map(() => [] as { readonly ms: number; readonly processorMs: number }[]);
  let isComplete = true;
  const listed: string[] = measured.map(() => '');
  for (let round = -2; round < rounds; round++)
    for (const [at, on] of measured.entries()) {
      const cost = await on.meter.cost(async () => {
        const answer = await ask(on);
        isComplete = answer.isComplete && isComplete;
        if (answer.listed !== undefined) listed[at] = `, ${answer.listed} events`;
      });
      if (round >= 0) costs[at]!.push(cost);
    }
  const reads = await Promise.all(measured.map((on) => on.meter.reads(() => ask(on))));
  const line = costs.map((each, at) => {
    const ms = each.map((cost) => cost.ms);
    const processor = median(each.map(({ processorMs }) => processorMs)).toFixed(1);
    const { blocks, rows } = reads[at]!;
    return `p50 ${median(ms).toFixed(1)} ms, p99 ${p99(ms).toFixed(1)} ms, processor ${processor} ms, ${blocks} blocks, ${rows} rows${listed[at]}`;
  });
  const [large, small] = costs.map((each) => p99(each.map(({ ms }) => ms))) as [number, number];
  const goals = [
    { goal: `p99 <= ${goal} ms`, isMet: large <= goal },
    ...(isCompared
      ? [{ goal: `large:small ${(large / small).toFixed(2)} <= 1.5`, isMet: large / small <= 1.5 }]
      : []),
    ...(mayBeCut ? [] : [{ goal: 'complete', isMet: isComplete }]),
  ];
  console.log(
    `${name}${isComplete ? '' : ' (complete: false)'}\n    large: ${line[0]}\n    small: ${line[1]}\n    ` +
      goals.map((each) => `${each.goal}: ${each.isMet ? 'met' : 'MISSED'}`).join(', '),
  );
  return {
    name: `query: ${name}, p99`,
    value: round1(large),
    unit: 'ms',
    baseline: round1(small),
    ratio: round1(large / small),
    goal: `<= ${goal} ms${isCompared ? ', ratio <= 1.5' : ''}${mayBeCut ? '' : ', complete'}`,
    pass: goals.every(({ isMet }) => isMet),
  };
}

/** Each pair of filters, a few times: the slowest one, and how many were not complete. */
async function allPairs(on: Measured): Promise<Result[]> {
  const times: { readonly name: string; readonly ms: number }[] = [];
  let cut = 0;
  for (const query of pairs) {
    let isCut = false;
    const costs: number[] = [];
    for (let round = 0; round < 4; round++) {
      const { ms } = await on.meter.cost(async () => {
        ({ isCut } = await pageOf(query, on));
      });
      if (round > 0) costs.push(ms);
    }
    if (isCut) cut++;
    times.push({ name: query.name, ms: median(costs) });
  }
  const slowest = times.toSorted((a, b) => b.ms - a.ms)[0]!;
  console.log(
    `slowest of ${pairs.length} pairs: ${slowest.name}, ${slowest.ms.toFixed(1)} ms; not complete: ${cut}`,
  );
  const value = round1(p99(times.map(({ ms }) => ms)));
  return [
    {
      name: `query: ${pairs.length} pairs of filters, p99 of their medians`,
      value,
      unit: 'ms',
      baseline: null,
      ratio: null,
      goal: '<= 15 ms',
      pass: value <= 15 && cut === 0,
    },
  ];
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)]!;
}

/** Pages per second of the service before it kept plans and texts, measured with these clients on two cores. */
const formerRate = 590;

function rateResult(how: string, rate: number): Result {
  return {
    name: `query: pages of 50 per second, 4 connections, ${how}`,
    value: Math.round(rate),
    unit: '1/s',
    baseline: formerRate,
    ratio: round1(rate / formerRate),
    goal: '>= 2 x 590',
    pass: rate >= 2 * formerRate,
  };
}

function round1(value: number): number {
  return Number(value.toFixed(1));
}
