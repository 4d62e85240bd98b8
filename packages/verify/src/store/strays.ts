import type { Finding } from '../report.ts';
import type { Query } from './read-store.ts';

/** The positions of one epoch that belong to a chain: 0 to `last_sequence`. */
export interface ChainRange {
  readonly epoch: number;
  readonly last_sequence: number;
}

/**
 * A row that does not belong to the chain of its tenant: it lies beyond the head or the end of a closed epoch, before position
 * 0, or in an epoch that the chain never had. The service never writes such a row.
 */
export type Stray =
  | {
      readonly kind: 'record';
      readonly epoch: number;
      readonly sequence_number: number;
      readonly audit_id: string;
    }
  | { readonly kind: 'tile'; readonly epoch: number; readonly level: number; readonly index: number }
  /** A row of `audit_closed_epochs` for an epoch that the chain never closed: reads would return the records of it. */
  | { readonly kind: 'epoch'; readonly epoch: number; readonly last_sequence: number };

/** A condition for epochs that are not in the list. `lower` is null for the first epoch of the list. */
const between = (epoch: string, lower: string, upper: string) =>
  `${epoch} > coalesce(${lower}::bigint, -2147483649) and ${epoch} < ${upper}`;

// Every part is one probe of each partition's unique (tenant_id, epoch, sequence_number), or of the primary key of audit_tiles, so
// the query costs the same for a chain of any length.
const recordColumns = `'record' as kind, r.epoch, r.sequence_number, r.audit_id::text as audit_id,
         null::integer as level, null::bigint as index`;
const tileColumns = "'tile', t.epoch, null, null, t.level, t.index";
const straysSql = `
  with ranges as materialized (
    select epoch, last_sequence, lag(epoch) over (order by epoch) as lower
      from unnest($2::integer[], $3::bigint[]) as given(epoch, last_sequence)
  ), newest as materialized (
    select max(epoch) as epoch from ranges
  ), strays as (
    select ${recordColumns}
      from ranges g join audit_records r on r.tenant_id = $1 and r.epoch = g.epoch and r.sequence_number > g.last_sequence
    union all
    select ${recordColumns}
      from ranges g join audit_records r on r.tenant_id = $1 and r.epoch = g.epoch and r.sequence_number < 0
    union all
    select ${recordColumns}
      from ranges g join audit_records r on r.tenant_id = $1 and ${between('r.epoch', 'g.lower', 'g.epoch')}
    union all
    select ${recordColumns}
      from newest n join audit_records r on r.tenant_id = $1 and ${between('r.epoch', 'n.epoch', '2147483648')}
    union all
    select ${tileColumns}
      from ranges g
      cross join generate_series(0, 6) as levels(level)
      join audit_tiles t on t.tenant_id = $1 and t.epoch = g.epoch and t.level = levels.level
       and t.index >= (g.last_sequence + 1) / (256::bigint << (8 * levels.level))
    union all
    select ${tileColumns}
      from ranges g join audit_tiles t on t.tenant_id = $1 and t.epoch = g.epoch and (t.level not between 0 and 6 or t.index < 0)
    union all
    select ${tileColumns}
      from ranges g join audit_tiles t on t.tenant_id = $1 and ${between('t.epoch', 'g.lower', 'g.epoch')}
    union all
    select ${tileColumns}
      from newest n join audit_tiles t on t.tenant_id = $1 and ${between('t.epoch', 'n.epoch', '2147483648')}
  )
  select kind, epoch, sequence_number::text as sequence_number, audit_id, level, index::text as index
    from strays limit $4::integer`;

/**
 * Finds rows outside of a tenant's chain.
 *
 * @param ranges all epochs of the chain
 * @param limit most rows of the answer
 */
export async function findStrays(
  query: Query,
  tenantId: string,
  ranges: readonly ChainRange[],
  limit: number,
): Promise<Stray[]> {
  const rows = await query(straysSql, [
    tenantId,
    ranges.map(({ epoch }) => epoch),
    ranges.map(({ last_sequence }) => last_sequence),
    limit,
  ]);
  return rows.map(({ kind, epoch, sequence_number, audit_id, level, index }): Stray => {
    if (kind === 'record') {
      return {
        kind,
        epoch: Number(epoch),
        sequence_number: Number(sequence_number),
        audit_id: String(audit_id),
      };
    }
    return { kind: 'tile', epoch: Number(epoch), level: Number(level), index: Number(index) };
  });
}

const listedSql =
  'select epoch, last_sequence::text as last_sequence from audit_closed_epochs where tenant_id = $1 order by epoch';

/** What the store lists as the epochs that a chain closed. */
export async function readListedEpochs(query: Query, tenantId: string): Promise<ChainRange[]> {
  const rows = await query(listedSql, [tenantId]);
  return rows.map(({ epoch, last_sequence }) => ({
    epoch: Number(epoch),
    last_sequence: Number(last_sequence),
  }));
}

/** The listed epochs that the chain never closed. */
export function strayEpochs(listed: readonly ChainRange[], isClosed: (epoch: number) => boolean): Stray[] {
  return listed.filter(({ epoch }) => !isClosed(epoch)).map((range) => ({ kind: 'epoch', ...range }));
}

/** Names a stray for people. */
export function strayText(stray: Stray): string {
  if (stray.kind === 'epoch') return `epoch ${stray.epoch} in the list of closed epochs`;
  return stray.kind === 'record'
    ? `record ${stray.sequence_number} of epoch ${stray.epoch} (audit_id ${stray.audit_id})`
    : `tile ${stray.level}/${stray.index} of epoch ${stray.epoch}`;
}

/** The finding about a stray. */
export function strayFinding(stray: Stray): Finding {
  const place = stray.kind === 'record' && stray.sequence_number >= 0 ? stray.sequence_number : null;
  return { code: 'STRAY_ROW', sequence_number: place, epoch: stray.epoch, found: strayText(stray) };
}
