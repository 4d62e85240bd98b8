import {
  type AnyEvent,
  type EventFilters,
  filterMatcher,
  filterParameters,
  readFilters,
  termBlockRecords,
} from '@tallystick/event';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Access,
  type Database,
  type Session,
  type Statement,
  writer,
} from '../../src/store/database.ts';
import { migratePglite } from '../../src/store/migrate.ts';
import { ensurePartitions, partitionOf } from '../../src/store/partitions.ts';
import { PgliteDatabase } from '../../src/store/pglite/pglite.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { readSql } from '../../src/store/sql.ts';
import { columnConditions } from '../../src/trail/column-conditions.ts';
import { columnPageText } from '../../src/trail/column-page.ts';
import { inOrderOfIndex } from '../../src/trail/index-order.ts';
import { Trail } from '../../src/trail/trail.ts';
import { openPostgres } from '../stores.ts';
import { chainedAt, makeTrail } from './made-trail.ts';

/**
 * A filter on a column without an index of its own walked the chain to its end: `severity=critical` read five million records to find ten.
 * Here every pair of filters is asked on a long chain with a small budget, and what the database reads is counted.
 */
const tenantId = 'many';
/** What a request may read here: much less than the chain has. */
const limits = { records: 200, rows: 1_000, searches: 3 };
/** The last step may go beyond the budget by a block of the index, for each alternative of a search. */
const mostRows = limits.rows + termBlockRecords;
const limit = 20;

/** Records of the chain on PostgreSQL. `npm run e2e -- pairs` has a million. The embedded store has a quarter of them, at most 12,500. */
const rows = Number(process.env.PAIRS_ROWS ?? 50_000);

/** Conditions on another column and on the text of a record. */
const withAgent = columnConditions(readFilters({ actor_type: 'agent', 'metadata.platform': 'web' })).values;

/** A service on a store with a long chain. */
interface LongTrail extends AsyncDisposable {
  readonly count: number;
  readonly database: Database;
}

async function embeddedTrail(): Promise<LongTrail> {
  const directory = tempDir();
  const count = Math.min(12_500, Math.ceil(rows / 4));
  await prepareEmbeddedStore(directory.path);
  const database = await PgliteDatabase.open(directory.path);
  await migratePglite(database);
  await ensurePartitions(database);
  await makeTrail((work) => database.asOwner(work), tenantId, count, eventAt);
  return {
    count,
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      directory.remove();
    },
  };
}

async function serverTrail(): Promise<LongTrail> {
  const store = await openPostgres();
  await ensurePartitions(store.database);
  const owner = new PostgresDatabase({
    url: store.ownerUrl,
    timeouts: { answerMs: 600_000, holdMs: 600_000, idleInTransactionMs: 600_000 },
  });
  const asOwner = (work: (session: Session) => Promise<void>) =>
    owner.transaction(writer, async (session) => {
      // The connection is that of a superuser.
      await session.query('reset role');
      await work(session);
    });
  await makeTrail(asOwner, tenantId, rows, eventAt);
  await owner.close();
  return { count: rows, database: store.database, [Symbol.asyncDispose]: () => store.close() };
}

/** Before the first record was chained, one event every ten seconds. */
const happenedAt = (at: number) => new Date(Date.parse(chainedAt(0)) - (rows - at) * 10_000).toISOString();
/** The same for each call with this position. */
const idAt = (at: number) => `019ca97b-f880-7000-8000-${at.toString(16).padStart(12, '0')}`;

/** Fields have one value in every 7th, 11th … record, so that two filters share some records. The values of rare ones share none. */
function eventAt(at: number): AnyEvent {
  const some = <T>(every: number, value: T, other: T) => (at % every === every - 1 ? value : other);
  return {
    audit_id: idAt(at),
    tenant_id: tenantId,
    timestamp: happenedAt(at),
    event_type: some(7, 'content.publish', 'content.read'),
    event_category: some(11, 'security', 'action'),
    severity: some(3_001, 'critical', 'info'),
    actor_type: some(13, 'agent', 'user'),
    actor_id: some(17, 'bot', 'ann'),
    target_type: some(19, 'page', 'file'),
    target_id: some(23, 'index', 'other'),
    investigation_id: some(29, 'inv-1', 'inv-2'),
    alert_id: some(31, 'alert-1', 'alert-2'),
    correlation_id: some(37, 'cor-1', 'cor-2'),
    trace_id: some(2_503, 'a'.repeat(32), 'b'.repeat(32)),
    outcome: { outcome_status: some(2_203, 'denied', 'success') },
    source_service: some(41, 'publisher', 'reader'),
    is_sensitive: some(43, true, false),
    entity_ids: [some(47, 'host-1', 'host-2')],
    on_behalf_of: [{ actor_type: 'user', actor_id: some(53, 'maria', 'olga') }],
    source_ip: some(1_999, '10.1.2.3', '192.168.0.1'),
    metadata: { platform: some(59, 'web', 'ios') },
    context: { job: some(1_601, 'rare', 'common') },
  };
}

const valueFor: { readonly [parameter: string]: string | boolean } = {
  event_type: 'content.publish',
  event_category: 'security',
  severity: 'critical',
  actor_type: 'agent',
  actor_id: 'bot',
  actor: 'user:bot',
  target_type: 'page',
  target_id: 'index',
  investigation_id: 'inv-1',
  alert_id: 'alert-1',
  correlation_id: 'cor-1',
  trace_id: 'a'.repeat(32),
  outcome_status: 'denied',
  source_service: 'publisher',
  is_sensitive: true,
  entity_ids: 'host-1',
  on_behalf_of: 'user:maria',
  source_ip: '10.0.0.0/8',
  metadata: 'web',
  context: 'rare',
};
const rangesOf = (count: number): { readonly [parameter: string]: string | number } => ({
  from: happenedAt(Math.floor(count / 3)),
  to: happenedAt(Math.floor((count * 3) / 4)),
  ingested_from: chainedAt(Math.floor(count / 4)),
  ingested_to: chainedAt(Math.floor((count * 5) / 6)),
  sequence_from: Math.floor(count / 6),
  sequence_to: Math.floor((count * 11) / 12),
});
const path: { readonly [parameter: string]: string } = {
  metadata: 'metadata.platform',
  context: 'context.job',
};

/** Each filter alone, as given and negated, from the table of fields: a field that is added later needs a value here. */
const singleFilters = (ranges: ReturnType<typeof rangesOf>): readonly EventFilters[] =>
  filterParameters.flatMap(({ name, field }): EventFilters[] => {
    if (field.filter?.kind === 'range') return [{ [name]: ranges[name]! } as EventFilters];
    const filter = { [path[name] ?? name]: valueFor[name]! } as EventFilters;
    return [filter, { not: filter }];
  });

/** Two filters, by their places in the list of filters, and both together; or a search for either. */
interface Pair {
  readonly places: readonly [number, number];
  readonly isEither?: true;
  readonly filters?: EventFilters;
  readonly q?: string;
}

/** All pairs of filters, and a part of those with a negation. Two ends of different ranges, and two values of one field, are pairs too. */
const pairsOf = (single: readonly EventFilters[]): readonly Pair[] =>
  single.flatMap((one, at) =>
    single.slice(at).flatMap((other, distance): Pair[] => {
      const isPositive = one.not === undefined && other.not === undefined;
      if (!isPositive && (at + distance) % 19 !== 0) return [];
      const not = isPositive ? undefined : { ...one.not, ...other.not };
      return [{ places: [at, at + distance], filters: { ...one, ...other, not } }];
    }),
  );

/** Values that are words of no other field here. */
const words: ReadonlySet<unknown> = new Set(['critical', 'denied', 'publisher', 'rare', 'security']);

/** Searches for either of two filters, for a third of the pairs, of which the second is a word where its value is one. A word is in the other index. */
const alternativesOf = (single: readonly EventFilters[]): readonly Pair[] => {
  const parts = single.flatMap((filter, place) => {
    const [[name, value] = ['', '']] = Object.entries(filter);
    const isRange = filterParameters.some(
      (each) => each.name === name && each.field.filter?.kind === 'range',
    );
    return filter.not !== undefined || isRange
      ? []
      : [{ place, field: `${name}:${value}`, value: String(value) }];
  });
  return parts.flatMap((one, at) =>
    parts.slice(at + 1).flatMap((other, distance): Pair[] => {
      if (distance % 3 !== 0) return [];
      const second = words.has(other.value) ? other.value : other.field;
      return [{ places: [one.place, other.place], isEither: true, q: `${one.field} OR ${second}` }];
    }),
  );
};

/** Counts the rows that the database reads in transactions of readers. */
class CountingDatabase {
  readonly #inner: Database;
  readonly kind = 'pglite';
  /** Of the last transaction. */
  rows = 0;
  sequentialScans = 0;

  constructor(inner: Database) {
    this.#inner = inner;
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#inner.transaction(access, async (session) => {
      const before = await count(session);
      const result = await work(session);
      const after = await count(session);
      this.rows = after.rows - before.rows;
      this.sequentialScans = after.scans - before.scans;
      return result;
    });
  }
}

/** Remembers the names of the statements that readers run. */
class NamingDatabase {
  readonly #inner: Database;
  readonly kind = 'pglite';
  /** Owned by this object, and cleared by the test. */
  readonly names = new Set<string>();

  constructor(inner: Database) {
    this.#inner = inner;
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#inner.transaction(access, (session) =>
      work({
        query: (text: string, values: unknown[]) => session.query(text, values),
        pipeline: (...statements: Statement[]) => {
          for (const { name } of statements) if (name !== undefined) this.names.add(name);
          return session.pipeline(...statements);
        },
      } as unknown as Session),
    );
  }
}

/** What the transaction has read of the tables that grow, by the statistics that the database keeps. */
async function count(session: Session): Promise<{ readonly rows: number; readonly scans: number }> {
  const [row] = await session.query<{ rows: number; scans: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint as rows, sum(seq_scan)::bigint as scans
       from pg_stat_xact_all_tables where relname in ('audit_field_terms', 'audit_search_terms', $1)`,
    [partitionOf(Date.now())],
  );
  return row!;
}

/** Which records match each filter alone, by the content of their events. */
function matchesOf(single: readonly EventFilters[], count: number): Uint8Array[] {
  const tests = single.map((filters) => {
    const isMatch = filterMatcher(
      readFilters(filters).filter(({ parameter }) => parameter.field.filter?.kind !== 'range'),
    );
    const { from = '', to = '~', ingested_from = '', ingested_to = '~' } = filters;
    const { sequence_from = 0, sequence_to = count } = filters;
    return (at: number, event: AnyEvent, chained: string) => {
      const happened = event.timestamp as string;
      const isInRanges =
        at >= sequence_from &&
        at <= sequence_to &&
        happened >= from &&
        happened < to &&
        chained >= ingested_from &&
        chained < ingested_to;
      return isInRanges && isMatch(event);
    };
  });
  const matches = tests.map(() => new Uint8Array(count));
  for (let at = 0; at < count; at++) {
    const [event, chained] = [eventAt(at), chainedAt(at)];
    for (const [nth, isMatch] of tests.entries()) if (isMatch(at, event, chained)) matches[nth]![at] = 1;
  }
  return matches;
}

/** The first positions that match both filters, or either. */
function expectedOf(
  [one, other]: readonly Uint8Array[],
  isEither: boolean,
  order: 'asc' | 'desc',
  most: number,
): number[] {
  const found: number[] = [];
  for (let nth = 0; nth < one!.length && found.length < most; nth++) {
    const at = order === 'asc' ? nth : one!.length - 1 - nth;
    if (one![at]! + other![at]! >= (isEither ? 1 : 2)) found.push(at);
  }
  return found;
}

describe.each([
  { kind: 'PGlite', open: embeddedTrail },
  { kind: 'PostgreSQL', open: serverTrail },
])('on $kind', ({ open }) => {
  let long: LongTrail;
  beforeAll(async () => {
    long = await open();
  }, 600_000);
  afterAll(() => long?.[Symbol.asyncDispose]());

  it('no pair of filters and no search for either reads without a bound, and each page is right as far as it goes', async () => {
    const counted = new CountingDatabase(long.database);
    const trail = new Trail(counted as unknown as Database, limits);
    const single = singleFilters(rangesOf(long.count));
    const matches = matchesOf(single, long.count);
    const wrong: unknown[] = [];
    let cut = 0;
    const pairs = [...pairsOf(single), ...alternativesOf(single)];
    for (const [nth, { places, isEither = false, filters = {}, q }] of pairs.entries()) {
      const order = nth % 2 === 0 ? 'desc' : 'asc';
      const page = await trail.list({ tenantId, filters, q, order, limit }, { sensitive: true });
      const found = page.events.map((event) => Number(event.sequence_number));
      const expected = expectedOf(
        places.map((place) => matches[place]!),
        isEither,
        order,
        limit,
      );
      if (page.isCut) cut++;
      // A page that was cut has the first of what it should have.
      const isRight =
        JSON.stringify(page.isCut ? expected.slice(0, found.length) : expected) === JSON.stringify(found);
      // Counted by the database: a plan that reads the whole table can't hide.
      const most = isEither ? mostRows + termBlockRecords : mostRows;
      if (!isRight || counted.rows > most || counted.sequentialScans > 0)
        wrong.push({ filters, q, order, rows: counted.rows, found, expected, cut: page.isCut });
    }
    expect(wrong).toEqual([]);
    // Some pairs must reach the budget, or the test shows nothing.
    expect(cut).toBeGreaterThan(5);
  }, 1_200_000);

  it('two frequent values that no record has together end within their budget, and the next page goes on', async () => {
    const trail = new Trail(long.database, { entries: 500 });
    // Two actors: the index of a column answers one value.
    const filters = { actor: ['user:bot', 'user:none'], actor_type: 'agent' } as const;
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await trail.list({ tenantId, filters, limit, cursor, order: 'asc' }, { sensitive: true });
      expect(page.events).toEqual([]);
      expect(page.isCut).toBe(page.nextCursor !== undefined);
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== undefined);
    // Some 500 entries are compared in each block of 4096 records.
    expect(pages).toBeGreaterThan(1);
    expect(pages).toBeLessThanOrEqual(Math.ceil(long.count / termBlockRecords) + 1);
    const whole = await new Trail(long.database).list({ tenantId, filters, limit }, { sensitive: true });
    expect(whole).toMatchObject({ events: [], nextCursor: undefined });
  }, 120_000);

  it('the index of a column is read for a pair whose value there is rare, and only to know that the value is frequent', async () => {
    const named = new NamingDatabase(long.database);
    const trail = new Trail(named as unknown as Database);
    const asked = async (filters: EventFilters) => {
      named.names.clear();
      const page = await trail.list({ tenantId, filters, limit }, { sensitive: true });
      return { found: page.events.length, by: [...named.names].filter((name) => /_desc$|search/.test(name)) };
    };
    const trace = 'a'.repeat(32);
    const withTrace = Math.floor(long.count / 2_503 / 37);
    expect(await asked({ correlation_id: 'cor-1', trace_id: trace })).toEqual({
      found: withTrace,
      by: ['tally_correlation_id_desc'],
    });
    const { by } = await asked({ event_type: 'content.read', trace_id: trace });
    expect(by).toEqual(['tally_event_type_desc', 'tally_search_blocks']);
    // A connection keeps few plans, whatever it was asked for.
    const kept = await long.database.query<{ name: string }>(
      { role: 'reader', tenants: [tenantId] },
      'select name from pg_prepared_statements',
    );
    expect(
      kept.map(({ name }) => name).filter((name) => /_(?:asc|desc)$/.test(name)).length,
    ).toBeLessThanOrEqual(10);
    expect(kept.length).toBeLessThanOrEqual(25);
    // An address is compared with no column, and the terms know it.
    expect((await asked({ correlation_id: 'cor-1', source_ip: '10.0.0.0/8' })).by).not.toContain(
      'tally_correlation_id_desc',
    );
  }, 120_000);

  /**
   * Behind row-level security the planner does not see that tenant and epoch are fixed: it sorted the whole trail to find the first record of a
   * month, and looked for a record by its time. The plans are those of a reader.
   */
  it.each([
    {
      file: 'month-starts',
      types: 'text, integer, timestamptz',
      values: [`'${tenantId}'`, 'null', 'null'],
      mostBlocks: 60,
    },
    {
      file: 'rows-at',
      types:
        'text, integer, bigint[], timestamptz[], timestamptz[], integer, boolean, boolean, timestamptz, timestamptz, timestamptz, timestamptz, bigint, timestamptz, timestamptz, integer',
      values: [
        `'${tenantId}'`,
        '1',
        `'{${Array.from({ length: 100 }, (_, nth) => nth * 97).join(',')}}'`,
        "array_fill('-infinity'::timestamptz, array[100])",
        "array_fill('infinity'::timestamptz, array[100])",
        '-1',
        'true',
        'true',
        "'-infinity'",
        "'infinity'",
        "'-infinity'",
        "'infinity'",
        '8000000',
        "'-infinity'",
        "'infinity'",
        '100',
      ],
      // A few for each of the 100 records, in each of the partitions that their times allow.
      mostBlocks: 2_000,
    },
    {
      file: 'column-page',
      types:
        'text, integer, bigint, bigint, text, integer, timestamptz[], timestamptz[], timestamptz, timestamptz, boolean, boolean, timestamptz, timestamptz, timestamptz, timestamptz, bigint, integer' +
        ', text[]'.repeat(withAgent.length),
      values: [
        `'${tenantId}'`,
        '1',
        '0',
        '1000000',
        "'bot'",
        '100',
        "'{-infinity}'",
        "'{infinity}'",
        "'-infinity'",
        "'infinity'",
        'true',
        'true',
        "'-infinity'",
        "'infinity'",
        "'-infinity'",
        "'infinity'",
        '8000000',
        '100',
        ...withAgent.map((values) => (values === null ? 'null' : `'{${values.join(',')}}'`)),
      ],
      index: /actor_id_sequence_number/,
      // Of the 700 records and more that the bot made in any of these chains, it compares the first 100.
      mostBlocks: 250,
    },
  ])('the statement $file reads by the index of the chain', async (of) => {
    const { file, types, values, mostBlocks, index = /epoch_sequence_number/ } = of;
    const text = file === 'column-page' ? columnPageText('actor_id', 'desc') : readSql(file);
    const plan = await long.database.transaction({ role: 'reader', tenants: [tenantId] }, async (session) => {
      await session.query("select set_config('plan_cache_mode', 'force_generic_plan', true)");
      if (file === 'column-page') await session.query(inOrderOfIndex('off'));
      await session.query(`prepare read_${file.replace('-', '_')} (${types}) as ${text}`);
      const [row] = await session.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `explain (analyze, buffers, format json) execute read_${file.replace('-', '_')}(${values.join(', ')})`,
      );
      return row!['QUERY PLAN'][0].Plan;
    });
    // Partitions without records have no blocks.
    const read = nodesOf(plan).filter(
      (node) => node['Relation Name']?.startsWith('audit_records') && blocksOf(node) > 0,
    );
    expect(read.length).toBeGreaterThan(0);
    // The unique index of a partition, on the tenant, the epoch and the sequence number, or the index of the column.
    for (const { 'Index Name': name } of read) expect(name).toMatch(index);
    expect(blocksOf(plan)).toBeLessThan(mostBlocks);
  });
});

function blocksOf(node: PlanNode): number {
  return node['Shared Hit Blocks'] + node['Shared Read Blocks'];
}

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
