import type { FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';

/** Which part of the hourly counts is compared with the records. */
export interface HourlyCountsOptions {
  readonly tenantId: string;
  readonly epoch: number;
  /** First and last sequence number of this epoch, both included. The hours in which these records happened are compared. */
  readonly from: number;
  readonly to: number;
  /** Whether the hours of other epochs are compared too, and hours in which no record happened. */
  readonly others: boolean;
}

/** Sequence numbers whose hours are looked up at a time. */
const pageRecords = 5_000;
/** Hours that are compared at a time. */
const pageHours = 50;

/**
 * Compares the hourly counts, from which the service answers how many records there are, with the records. All records of an hour are
 * counted, whatever their position, as far as the follower has read the chain. Each statement sees counts, cursor and records in one
 * snapshot, so that a service may go on to count meanwhile.
 *
 * It counts by the columns beside the records, which the verification compares with the records themselves.
 */
export async function checkHourlyCounts(
  query: Query,
  { tenantId, epoch, from, to, others }: HourlyCountsOptions,
  findings: FindingSink,
): Promise<void> {
  // A store of an earlier version has no such table.
  const [table] = await query(`select to_regclass('audit_hourly_counts') is not null as present`, []);
  if (table?.present !== true) return;
  const compared = new Set<string>();
  const compare = async (rows: readonly { readonly [column: string]: unknown }[]) => {
    const hours = rows.map(({ hour }) => String(hour)).filter((hour) => !compared.has(hour));
    for (let at = 0; at < hours.length; at += pageHours) {
      const some = hours.slice(at, at + pageHours);
      for (const hour of some) compared.add(hour);
      for (const row of await query(compareSql, [tenantId, some])) {
        // As many records can be counted, and not those that there are.
        const ofOthers = String(row.counted) === String(row.records) ? ' of other values' : '';
        findings.add({
          code: 'COUNT_MISMATCH',
          sequence_number: null,
          expected: `${row.records} records in the hour from ${row.hour}`,
          found: `${row.counted}${ofOthers} in the ${row.detailed === true ? 'detailed counts' : 'counts by type'}`,
        });
      }
    }
  };
  const ranges = [{ epoch, from, to }];
  for (const other of others ? await query(otherEpochsSql, [tenantId, epoch]) : [])
    ranges.push({ epoch: Number(other.epoch), from: 0, to: Number(other.last_sequence) });
  for (const range of ranges) {
    let next = await firstFrom(query, tenantId, range.epoch, range.from);
    while (next !== undefined && next <= range.to) {
      const last = Math.min(range.to, next + pageRecords - 1);
      await compare(await query(hoursOfRecordsSql, [tenantId, range.epoch, next, last]));
      next = await firstFrom(query, tenantId, range.epoch, last + 1);
    }
  }
  if (!others) return;
  let after = '-infinity';
  for (;;) {
    const rows = await query(countedHoursSql, [tenantId, after]);
    if (rows.length === 0) return;
    await compare(rows);
    after = String(rows.at(-1)!.hour);
  }
}

/** The end of a range may be forged: the positions up to it are not counted through. */
async function firstFrom(
  query: Query,
  tenantId: string,
  epoch: number,
  from: number,
): Promise<number | undefined> {
  const [row] = await query(
    `select min(r.sequence_number)::text as first from audit_records r
      where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number >= $3::bigint`,
    [tenantId, epoch, from],
  );
  return row?.first == null ? undefined : Number(row.first);
}

const hourText = (hour: string) => `to_char(${hour} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

/** The generation that reads use, and the record that it has come to. Counts of a tenant for which it has stopped are not used. */
const placeSql = `
  select f.generation, c.epoch, c.sequence_number
    from audit_followers f
    join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = $1
   where f.name = 'hourly-counts' and c.stopped_code is null`;

const otherEpochsSql = `
  select epoch::text as epoch, last_sequence::text as last_sequence
    from audit_chain_ranges where tenant_id = $1 and epoch <> $2::integer order by epoch`;

const hoursOfRecordsSql = `
  select distinct ${hourText(`date_trunc('hour', r."timestamp", 'UTC')`)} as hour from audit_records r
   where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number between $3::bigint and $4::bigint
     and isfinite(r."timestamp")
   order by 1`;

const countedHoursSql = `
  select distinct ${hourText('c.hour')} as hour, c.hour as at from audit_hourly_counts c
   where c.generation = (select generation from (${placeSql}) as place) and c.tenant_id = $1 and c.detailed = false
     and c.hour > $2::timestamptz
   order by c.hour limit 1000`;

const columns = [
  'event_type',
  'event_category',
  'severity',
  'actor_type',
  'actor_id',
  'target_type',
  'outcome_status',
  'source_service',
].join(', ');

/** For the columns that a count by type does not have. */
const noColumns = Array.from({ length: 7 }, () => 'null::text').join(', ');

// Rows of both sides are added with opposite signs: what is left is different.
const compareSql = `
  with place as materialized (${placeSql}),
  hours as materialized (select h::timestamptz as hour from unnest($2::text[]) as h),
  records as materialized (
    select h.hour, x.*
      from hours h
     cross join lateral (
       select ${columns}, r.is_sensitive, count(*) as n
         from audit_records r
         join audit_chain_ranges g
           on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
         join place p on (r.epoch, r.sequence_number) <= (p.epoch, p.sequence_number)
        where r.tenant_id = $1 and r."timestamp" >= h.hour and r."timestamp" < h.hour + interval '1 hour'
        group by ${columns}, r.is_sensitive) x
  ),
  counts as materialized (
    select c.detailed, c.hour, ${columns}, c.is_sensitive, c.records as n
      from hours h
      join audit_hourly_counts c
        on c.generation = (select generation from place) and c.tenant_id = $1 and c.hour = h.hour
  ),
  differences as (
    select detailed, hour, sum(expected) as expected, sum(counted) as counted
      from (select true as detailed, hour, ${columns}, is_sensitive, n as expected, 0 as counted from records
            union all
            select true, hour, ${columns}, is_sensitive, 0, n from counts where detailed
            union all
            select false, hour, event_type, ${noColumns}, is_sensitive, n, 0 from records
            union all
            select false, hour, ${columns}, is_sensitive, 0, n from counts where not detailed) as rows
     group by detailed, hour, ${columns}, is_sensitive
    having sum(expected) <> sum(counted)
  )
  select detailed, ${hourText('hour')} as hour, sum(expected)::text as records, sum(counted)::text as counted
    from differences group by detailed, differences.hour order by differences.hour, detailed`;
