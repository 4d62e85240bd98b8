import {
  type AnyEvent,
  type EventFilters,
  filterMatcher,
  filterParameters,
  readFilters,
  termBlockRecords,
  uuidv7,
} from '@tallystick/event';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuditService } from '../../src/app.ts';
import type { Access, Database, Session } from '../../src/store/database.ts';
import { partitionOf } from '../../src/store/partitions.ts';
import type { PgliteDatabase } from '../../src/store/pglite/pglite.ts';
import { Trail } from '../../src/trail/trail.ts';
import { chainedAt, makeTrail } from './made-trail.ts';

/**
 * A filter on a column without an index of its own walked the chain to its end: `severity=critical` read five million records to find ten.
 * Here every pair of filters is asked on a long chain with a small budget, and what the database reads is counted.
 */
const tenantId = 'many';
/** What a request may read here: much less than the chain has. */
const limits = { records: 200, rows: 1_000, searches: 3 };
/** The last step may go beyond the budget by a block of the index. */
const mostRows = limits.rows + termBlockRecords;
const limit = 20;

const directory = tempDir();
let service: AuditService;
let events: AnyEvent[];
beforeAll(async () => {
  await prepareEmbeddedStore(directory.path);
  service = await AuditService.open({
    store: { directory: directory.path },
    logName: 'log.test',
    checkpointIntervalMs: 0,
    followers: false,
  });
  events = times.map((_, at) => eventAt(at));
  await makeTrail(service.database as PgliteDatabase, tenantId, events);
}, 300_000);
afterAll(async () => {
  await service.close();
  directory.remove();
});

const happenedAt = (at: number) => new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString();

const times = Array.from({ length: 12_000 }, (_, at) => ({
  happened: happenedAt(at),
  chained: chainedAt(at),
}));

/** Fields have one value in every 7th, 11th … record, so that two filters share some records. The values of rare ones share none. */
function eventAt(at: number): AnyEvent {
  const some = <T>(every: number, value: T, other: T) => (at % every === every - 1 ? value : other);
  return {
    audit_id: uuidv7(),
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
const rangeOf: { readonly [parameter: string]: string | number } = {
  from: happenedAt(4_000),
  to: happenedAt(9_000),
  ingested_from: chainedAt(3_000),
  ingested_to: chainedAt(10_000),
  sequence_from: 2_000,
  sequence_to: 11_000,
};
const path: { readonly [parameter: string]: string } = {
  metadata: 'metadata.platform',
  context: 'context.job',
};

/** Each filter alone, as given and negated, from the table of fields: a field that is added later needs a value here. */
const single: readonly EventFilters[] = filterParameters.flatMap(({ name, field }): EventFilters[] => {
  if (field.filter?.kind === 'range') return [{ [name]: rangeOf[name]! } as EventFilters];
  const filter = { [path[name] ?? name]: valueFor[name]! } as EventFilters;
  return [filter, { not: filter }];
});
/** All pairs of filters, and a part of those with a negation. Two ends of different ranges, and two values of one field, are pairs too. */
const pairs = single.flatMap((one, at) =>
  single.slice(at).flatMap((other, distance): EventFilters[] => {
    const isPositive = one.not === undefined && other.not === undefined;
    if (!isPositive && (at + distance) % 19 !== 0) return [];
    const not = { ...one.not, ...other.not };
    return [{ ...one, ...other, ...(isPositive ? { not: undefined } : { not }) }];
  }),
);

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

/** What the transaction has read of the tables that grow, by the statistics that the database keeps. */
async function count(session: Session): Promise<{ readonly rows: number; readonly scans: number }> {
  const [row] = await session.query<{ rows: number; scans: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint as rows, sum(seq_scan)::bigint as scans
       from pg_stat_xact_all_tables where relname in ('audit_field_terms', $1)`,
    [partitionOf(Date.now())],
  );
  return row!;
}

/** The first positions that match by the content of the events alone. */
function expectedOf(filters: EventFilters, order: 'asc' | 'desc', most: number): number[] {
  const conditions = readFilters(filters);
  const matches = filterMatcher(
    conditions.filter(({ parameter }) => parameter.field.filter?.kind !== 'range'),
  );
  const { from = '', to = '~', ingested_from = '', ingested_to = '~' } = filters;
  const { sequence_from = 0, sequence_to = events.length } = filters;
  const found: number[] = [];
  for (let nth = 0; nth < events.length && found.length < most; nth++) {
    const at = order === 'asc' ? nth : events.length - 1 - nth;
    const [happened, chained] = [times[at]!.happened, times[at]!.chained];
    const isInRanges =
      at >= sequence_from &&
      at <= sequence_to &&
      happened >= from &&
      happened < to &&
      chained >= ingested_from &&
      chained < ingested_to;
    if (isInRanges && matches(events[at]!)) found.push(at);
  }
  return found;
}

it('no pair of filters reads without a bound, and each page is right as far as it goes', async () => {
  const counted = new CountingDatabase(service.database);
  const trail = new Trail(counted as unknown as Database, limits);
  const wrong: unknown[] = [];
  let cut = 0;
  for (const [at, filters] of pairs.entries()) {
    const order = at % 2 === 0 ? 'desc' : 'asc';
    const page = await trail.list({ tenantId, filters, order, limit }, { sensitive: true });
    const found = page.events.map((event) => Number(event.sequence_number));
    const expected = expectedOf(filters, order, limit);
    if (page.isCut) cut++;
    // A page that was cut has the first of what it should have.
    const isRight =
      JSON.stringify(page.isCut ? expected.slice(0, found.length) : expected) === JSON.stringify(found);
    if (!isRight || counted.rows > mostRows || counted.sequentialScans > 0)
      wrong.push({ filters, order, rows: counted.rows, found, expected, cut: page.isCut });
  }
  expect(wrong).toEqual([]);
  // Some pairs must reach the budget, or the test shows nothing.
  expect(cut).toBeGreaterThan(5);
}, 300_000);
