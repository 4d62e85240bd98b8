import { createHash } from 'node:crypto';
import { type AnyEvent, fieldValue, parseTimestamp, spanStart } from '@tallystick/event';
import type { Session } from '../../store/database.ts';
import type { DatabaseFollower, FollowedPage } from '../follower.ts';

/** Key of the cursors; `tally_hourly_counts_place` has it too. */
const hourlyCountsName = 'hourly-counts';

/**
 * Counts the records of each hour by their fields, in `audit_hourly_counts`. Reads never depend on it being current: what it has not
 * counted yet, they count from the chain (`trail/stats/rolled-up.ts`).
 */
export function hourlyCounts(): DatabaseFollower {
  return {
    name: hourlyCountsName,
    effect: 'database',
    pageRecords: 1_000,
    apply: addCounts,
    async clear(session, generation, tenantId) {
      const rows =
        tenantId === undefined
          ? await session.query(clearSql, [generation])
          : await session.query(clearTenantSql, [generation, tenantId]);
      return rows.length > 0;
    },
  };
}

const clearSql = `
  with gone as (
    delete from audit_hourly_counts
     where ctid = any (array(select ctid from audit_hourly_counts where generation = $1::integer limit 10000))
    returning 1)
  select 1 as one from gone limit 1`;

const clearTenantSql = `
  with gone as (
    delete from audit_hourly_counts
     where ctid = any (array(
       select ctid from audit_hourly_counts where generation = $1::integer and tenant_id = $2 limit 10000))
    returning 1)
  select 1 as one from gone limit 1`;

/** A row of the table, without its generation and its tenant. */
export interface Count {
  readonly detailed: boolean;
  readonly hour: string;
  readonly combination: string;
  readonly values: readonly (string | null)[];
  readonly sensitive: boolean;
  records: number;
}

/** The columns of a detailed row that hold texts. The first is that of the other rows. */
export const countedColumns = [
  'event_type',
  'event_category',
  'severity',
  'actor_type',
  'actor_id',
  'target_type',
  'outcome_status',
  'source_service',
] as const;

const addSql = `
  insert into audit_hourly_counts as c
         (generation, tenant_id, detailed, hour, combination, ${countedColumns.join(', ')}, is_sensitive, records)
  select $1::integer, $2, u.detailed, u.hour, decode(u.combination, 'hex'), ${countedColumns.map((name) => `u.${name}`).join(', ')},
         u.is_sensitive, u.records
    from unnest($3::boolean[], $4::timestamptz[], $5::text[], ${countedColumns.map((_, at) => `$${at + 6}::text[]`).join(', ')},
                $${countedColumns.length + 6}::boolean[], $${countedColumns.length + 7}::bigint[])
      as u(detailed, hour, combination, ${countedColumns.join(', ')}, is_sensitive, records)
   order by u.detailed, u.hour, u.combination
      on conflict (generation, tenant_id, detailed, hour, combination) do update set records = c.records + excluded.records`;

async function addCounts(session: Session, { tenantId, generation, records }: FollowedPage): Promise<void> {
  const counts = [...countsOf(records.map(({ record }) => record.event)).values()];
  await session.query(addSql, [
    generation,
    tenantId,
    counts.map(({ detailed }) => detailed),
    counts.map(({ hour }) => hour),
    counts.map(({ combination }) => combination),
    ...countedColumns.map((_, at) => counts.map(({ values }) => values[at] ?? null)),
    counts.map(({ sensitive }) => sensitive),
    counts.map(({ records: number }) => number),
  ]);
}

/** The counts of these events. */
export function countsOf(events: readonly AnyEvent[]): Map<string, Count> {
  const counts = new Map<string, Count>();
  const add = (hour: string, values: readonly (string | null)[], sensitive: boolean) => {
    const detailed = values.length > 1;
    const key = JSON.stringify([hour, sensitive, ...values]);
    const known = counts.get(key);
    if (known !== undefined) known.records++;
    else {
      const combination = combinationOf(values, sensitive);
      counts.set(key, { detailed, hour, combination, values, sensitive, records: 1 });
    }
  };
  for (const event of events) {
    const hour = new Date(spanStart(parseTimestamp(String(event.timestamp)), 'hour')).toISOString();
    const values = countedColumns.map((name) => textOf(event, name));
    const sensitive = event.is_sensitive === true;
    add(hour, values, sensitive);
    add(hour, values.slice(0, 1), sensitive);
  }
  return counts;
}

function textOf(event: AnyEvent, name: (typeof countedColumns)[number]): string | null {
  const value = fieldValue(event, name);
  return typeof value === 'string' ? value : null;
}

/** The first 16 bytes of the SHA-256 of the values as JSON, hex. */
function combinationOf(values: readonly (string | null)[], sensitive: boolean): string {
  return createHash('sha256')
    .update(JSON.stringify([...values, sensitive]))
    .digest('hex')
    .slice(0, 32);
}
