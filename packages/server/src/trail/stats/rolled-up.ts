import {
  type EventFilters,
  type FacetName,
  facetFields,
  type Grouping,
  readFilters,
} from '@tallystick/event';
import type { StatsGrouping } from '@tallystick/protocol';
import type { Session } from '../../store/database.ts';
import { conditionsOf, withoutReads } from '../filters.ts';
import { groupingOf, groupOf, maxGroups } from './counted.ts';
import type { Coverage } from './coverage.ts';
import type { HoursOfRange } from './hours.ts';

/** How much one request may read. */
export interface StatsLimits {
  /** Rows of the hourly counts. @defaultValue 100000 */
  readonly counts?: number | undefined;
  /** Records that are not in the hourly counts yet. @defaultValue 20000 */
  readonly newer?: number | undefined;
  /** Records of the first and of the last hour of a range, each. @defaultValue 20000 */
  readonly edge?: number | undefined;
}

/** The last row of the hourly counts that was read. */
interface CountsPlace {
  /** RFC 3339. */
  readonly hour: string;
  /** Hex. */
  readonly combination: string;
}

export interface RolledUpRequest {
  readonly filters: EventFilters;
  readonly groupings: readonly Grouping[];
  /** Most groups of fields in a grouping. */
  readonly limit: number;
  readonly sensitive: boolean;
  readonly leaveOutReads: boolean;
  readonly coverage: Coverage;
  readonly hours: HoursOfRange;
  readonly after: CountsPlace | undefined;
  readonly limits: StatsLimits;
}

export interface RolledUp {
  readonly records: number;
  readonly groupings: readonly StatsGrouping[];
  /** Where the next page goes on. */
  readonly next: CountsPlace | undefined;
  /** The last record that was counted, where newer ones were not. */
  readonly countedTo: number | undefined;
  /** Whether an edge of the range has more records than the budget allows to read. */
  readonly edgeIsCut: boolean;
}

/**
 * Counts by the hourly counts. What they don't have yet, and the parts of hours at the ends of the range, are counted from the records. All
 * of it is one statement and so one snapshot: a record that was chained before the request is counted once.
 *
 * A month of 60,000 records that differ in actor and target has as many rows of hourly counts. Five facets of it take 73 ms of PostgreSQL's
 * processor (`npm run bench -- query`), since all facets are grouped in one pass over rows that are not stored before: with all rows kept until
 * the last one is known, it was 98 ms. More `work_mem` and no JIT changed nothing, nor did a policy that reads the tenants of the transaction
 * once. Counts of each field by day would be 900 rows for the fields with few values, but 60,000 for the actors.
 *
 * @returns undefined if there are no hourly counts of the tenant
 */
export async function countRolledUp(
  session: Session,
  tenantId: string,
  request: RolledUpRequest,
): Promise<RolledUp | undefined> {
  const { groupings, hours, after, limits } = request;
  const { counts = 100_000, newer = 20_000, edge = 20_000 } = limits;
  const { sql, values } = statementOf(request);
  const edges = after === undefined ? hours.edges : [];
  const rows = await session.query<Row>(sql, [
    tenantId,
    request.sensitive,
    hours.from,
    hours.to,
    after?.hour ?? 'infinity',
    after?.combination ?? '',
    counts,
    after === undefined ? newer : 0,
    edges.map(([first]) => first),
    edges.map(([, end]) => end),
    edge,
    ...values,
  ]);
  const only = (kind: string) => rows.find((row) => row.kind === kind);
  const [place, head] = [only('place'), only('head')];
  if (place === undefined) return undefined;
  const records = only('records')!.records;
  const scanned = only('scanned')!;
  const isCut = scanned.records >= counts;
  const last = only('newer') ?? place;
  const isBehind =
    after === undefined && head !== undefined && (last.k1 !== head.k1 || last.records < head.records);
  return {
    records,
    groupings: groupings.map((grouping, at) =>
      groupingFrom(
        grouping,
        rows.filter(({ kind }) => kind === `group ${at}`),
        records,
      ),
    ),
    next: isCut ? { hour: scanned.t!, combination: scanned.k1! } : undefined,
    countedTo: isBehind ? (last.k1 === head.k1 ? last.records : -1) : undefined,
    edgeIsCut: (only('edges')?.records ?? 0) >= edge,
  };
}

interface Row {
  /** What the row says; `group 0` is a group of the first grouping. */
  readonly kind: string;
  readonly k1: string | null;
  readonly k2: string | null;
  readonly t: string | null;
  readonly records: number;
  readonly groups: number;
}

function groupingFrom(grouping: Grouping, rows: readonly Row[], records: number): StatsGrouping {
  // By time, the newest groups are those that are kept.
  const inOrder = grouping.time === undefined ? rows : oldestFirst(rows);
  const groups = inOrder.map(({ k1, k2, t, records: own }) =>
    groupOf(grouping, { fields: [k1, k2].slice(0, grouping.fields.length), time: t }, own),
  );
  return groupingOf(grouping, groups, { groups: rows[0]?.groups ?? 0, records });
}

/** Groups of one value stay together. */
function oldestFirst(rows: readonly Row[]): Row[] {
  return [...Map.groupBy(rows, ({ k1, k2 }) => JSON.stringify([k1, k2])).values()].flatMap((ofValue) =>
    ofValue.reverse(),
  );
}

/** Number of the first parameter that belongs to a filter. */
const firstFilter = 12;

function statementOf({ filters, groupings, limit, coverage, leaveOutReads }: RolledUpRequest): {
  readonly sql: string;
  readonly values: readonly unknown[];
} {
  const { from: _, to: __, ...ofFields } = filters;
  const conditions = conditionsOf(readFilters(ofFields), firstFilter);
  const facets = [...new Set(groupings.flatMap(({ fields }) => fields))];
  const columns = facets.map((name, at) => `, ${valueSql(name)} as f${at}`).join('');
  const names = facets.map((_name, at) => `, f${at}`).join('');
  const matches = `(($2::boolean or not r.is_sensitive) ${leaveOutReads ? withoutReads : ''} ${conditions.sql}) as matches`;
  const keysOf = ({ fields }: Grouping) => fields.map((name) => `f${facets.indexOf(name)}`);
  const spans = [...new Set(groupings.flatMap(({ time }) => time ?? []))];
  const keys = [...facets.map((_name, at) => `f${at}`), ...spans.map((span) => `by_${span}`)];
  const sets = groupings.map((grouping) => [
    ...keysOf(grouping),
    ...(grouping.time === undefined ? [] : [`by_${grouping.time}`]),
  ]);
  const groups = groupings.map((grouping, at) =>
    groupsSql({
      at,
      limit,
      keys: keysOf(grouping),
      time: grouping.time,
      without: bitsWithout(sets[at]!, keys),
    }),
  );
  const hourly = `
    from audit_hourly_counts r
   where r.generation = (select generation from place) and r.tenant_id = $1 and r.detailed = ${coverage === 'detailed'}
     and r.hour >= $3::timestamptz and r.hour < $4::timestamptz
     and (r.hour, r.combination) < ($5::timestamptz, decode($6, 'hex'))
   order by r.hour desc, r.combination desc`;
  const sql = `
with place as materialized (select * from tally_hourly_counts_place($1)),
newer as materialized (
  select g.epoch, n.*
    from place p
    join audit_chain_ranges g on g.tenant_id = $1 and g.epoch >= p.epoch
   cross join lateral (
     select r.sequence_number, r."timestamp"${columns}, ${matches}
       from audit_records r
      where r.tenant_id = $1 and r.epoch = g.epoch
        and r.sequence_number > case when g.epoch = p.epoch then p.sequence_number else -1 end
        and r.sequence_number <= g.last_sequence
      order by r.sequence_number
      limit $8::integer) n
   order by g.epoch, n.sequence_number
   limit $8::integer
),
edges as materialized (
  select e.first, x.*
    from unnest($9::timestamptz[], $10::timestamptz[]) as e(first, after)
   cross join lateral (
     select r.epoch, r.sequence_number, r."timestamp"${columns}, ${matches}
       from audit_records r
      where r.tenant_id = $1 and r."timestamp" >= e.first and r."timestamp" < e.after
      limit $11::integer) x
),
counted as (
  select true as is_hourly, hour, records${names}, matches
    from (select r.hour, r.records${columns}, ${matches} ${hourly} limit $7::integer) as scanned
   union all
  select false, date_trunc('hour', "timestamp", 'UTC'), 1${names}, matches from newer
   where "timestamp" >= $3::timestamptz and "timestamp" < $4::timestamptz
   union all
  select false, date_trunc('hour', x."timestamp", 'UTC'), 1${names}, matches
    from edges x
    join audit_chain_ranges g on g.tenant_id = $1 and g.epoch = x.epoch and x.sequence_number between 0 and g.last_sequence
),
${groupedSql({ sets, keys, facets: facets.length, spans, isFiltered: conditions.sql !== '' })},
total as materialized (select coalesce(records, 0) as records, scanned from grouped where without = ${bitsWithout([], keys)})
select 'records' as kind, null::text as k1, null::text as k2, null::text as t, records, 0::bigint as groups from total
union all
select 'place', epoch::text, null, null, sequence_number, 0 from place
union all
(select 'newer', epoch::text, null, null, sequence_number, 0 from newer order by epoch desc, sequence_number desc limit 1)
union all
(select 'head', epoch::text, null, null, last_sequence, 0 from audit_chain_ranges where tenant_id = $1 order by epoch desc limit 1)
union all
(select 'edges', null, null, null, count(*), 0 from edges group by first order by count(*) desc limit 1)
union all
-- Where the limit has ended the counts. It is looked up only then: to keep all rows until the last one is known takes a third of the time.
(select 'scanned', encode(last.combination, 'hex'), null, ${timeSql('last.hour')}, total.scanned, 0
   from total
   left join lateral (select r.hour, r.combination ${hourly} offset $7::integer - 1 limit 1) as last on total.scanned >= $7::integer)
${groups.join('\n')}`;
  return { sql, values: conditions.values };
}

/** The value of a field by which a row or a record counts. */
function valueSql(name: FacetName): string {
  const { filter } = facetFields.find((field) => field.name === name)!;
  if (filter?.kind === 'actor') return `r.actor_type || ':' || r.actor_id`;
  const absent = filter?.kind === 'enum' ? filter.absent : undefined;
  return absent === undefined ? `r.${name}` : `coalesce(r.${name}, '${absent}')`;
}

function timeSql(time: string): string {
  return `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}

/**
 * All groupings, and the total, in one pass over what is counted. `without` has a bit for each key that a row is not grouped by. Rows that do
 * not match are only counted as `scanned`; `records` is null for a group that has no others.
 */
function groupedSql({
  sets,
  keys,
  facets,
  spans,
  isFiltered,
}: {
  readonly sets: readonly (readonly string[])[];
  readonly keys: readonly string[];
  readonly facets: number;
  readonly spans: readonly string[];
  /** Whether many rows may not match. Then they share one group. */
  readonly isFiltered: boolean;
}): string {
  const values = Array.from({ length: facets }, (_, at) =>
    isFiltered ? `, case when matches then f${at} end as f${at}` : `, f${at}`,
  ).join('');
  const times = spans.map((span) => `, date_trunc('${span}', hour, 'UTC') as by_${span}`).join('');
  const different = new Set([...sets, []].map((set) => `(${set.join(', ')})`));
  const columns =
    keys.length === 0 ? '0 as without' : `${keys.join(', ')}, grouping(${keys.join(', ')}) as without`;
  return `grouped as materialized (
  select ${columns}, (sum(records) filter (where matches))::bigint as records, count(*) filter (where is_hourly) as scanned
    from (select is_hourly, records, matches${values}${times} from counted) as keyed
   group by grouping sets (${[...different].join(', ')})
)`;
}

/** The value of SQL's `grouping(keys)` for groups by some of the keys: the last key has the lowest bit. */
function bitsWithout(some: readonly string[], keys: readonly string[]): number {
  return keys.reduce((bits, key) => bits * 2 + (some.includes(key) ? 0 : 1), 0);
}

/** The groups of one grouping: those of the values with the most records, the newest first. */
function groupsSql({
  at,
  limit,
  keys,
  time,
  without,
}: {
  readonly at: number;
  readonly limit: number;
  readonly keys: readonly string[];
  readonly time: Grouping['time'];
  readonly without: number;
}): string {
  const k1 = keys[0] ?? 'null::text';
  const k2 = keys[1] ?? 'null::text';
  return `union all
(select 'group ${at}', k1, k2, t, records, groups
   from (select *, count(*) over () as groups
           from (select *, dense_rank() over (order by of_key desc, k1 collate "C", k2 collate "C") as place
                   from (select ${k1} as k1, ${k2} as k2, ${time === undefined ? 'null::text' : timeSql(`by_${time}`)} as t, records,
                                sum(records) over (${keys.length === 0 ? '' : `partition by ${keys.join(', ')}`}) as of_key
                           from grouped where without = ${without} and records is not null) as summed) as ranked) as numbered
  where place <= ${limit}
  order by place, t desc
  limit ${maxGroups})`;
}
