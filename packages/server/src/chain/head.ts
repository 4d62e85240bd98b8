import { decodeFrontier, type Frontier, fromHex, LogError, zeroHash } from '@tallystick/log';
import { ServerError } from '../errors.ts';
import type { Statement } from '../store/database.ts';
import type { EpochOpening } from './batch.ts';

/** The newest record of a tenant's chain, as the transaction found it under the lock. */
export interface Head {
  readonly tenantId: string;
  readonly epoch: number;
  /** −1 if the chain is new: this transaction writes its genesis record. */
  readonly lastSequence: number;
  readonly lastHash: string;
  /** Milliseconds since the epoch. */
  readonly lastIngestedAt: number;
  readonly frontier: Frontier;
  /** Set if this transaction begins the chain again in a new epoch. */
  readonly opening?: EpochOpening;
}

export interface HeadRow {
  readonly tenant_id: string;
  readonly epoch: number;
  readonly last_sequence: number;
  readonly last_hash: string;
  readonly last_ingested_ms: number;
  readonly frontier: string;
  /** The store's clock, after the lock was taken. */
  readonly now_ms: number;
}

// The inner query takes the lock and the outer query reads the clock, so that the time is not before the lock was taken.
const lockSql = `
  with heads as materialized (
    select * from audit_chain_state where tenant_id = any ($1::text[]) order by tenant_id for update
  )
  select tenant_id, epoch, last_sequence, encode(last_hash, 'hex') as last_hash,
         (extract(epoch from last_ingested_at) * 1000)::bigint as last_ingested_ms,
         encode(frontier, 'hex') as frontier,
         floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms
    from heads`;

const insertSql = `
  insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
  select t, 1, -1, ''::bytea, to_timestamp(0), ''::bytea from unnest($1::text[]) as t order by t
  on conflict (tenant_id) do nothing`;

/** How far a head may be ahead of the store's clock, ms. A larger difference would put records into a wrong month. */
const maxHeadAheadMs = 5 * 60 * 1000;

/** Locks the heads of these tenants, in the order of tenant ids, so that two batches cannot deadlock. */
export function lockHeads(tenantIds: readonly string[]): Statement<HeadRow> {
  return { name: 'tally_lock_heads', text: lockSql, values: [tenantIds] };
}

/**
 * Creates the rows of tenants that have none. Of several transactions that start the same chain, one creates the row and
 * the others wait here for its commit.
 */
export function insertHeads(tenantIds: readonly string[]): Statement {
  return { text: insertSql, values: [tenantIds] };
}

/**
 * Reads the locked heads and decides the time of the batch.
 *
 * @param rows of {@link lockHeads}
 * @param openings chains that begin again: their old heads are ignored, even damaged ones
 * @returns the heads by tenant, and the `ingested_at` of the whole batch, ms: the store's clock, or the time of the latest
 *   head if that is later
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN`, with the tenants whose heads are ahead in `details.tenant_ids`;
 *   `CHAIN_STOPPED` for a damaged head
 */
export function readHeads(
  rows: readonly HeadRow[],
  openings: readonly EpochOpening[] = [],
): { readonly heads: Map<string, Head>; readonly ingestedAt: number } {
  let now = 0;
  let latest = 0;
  const heads = new Map<string, Head>();
  for (const row of rows) {
    now = Math.max(now, row.now_ms);
    const opening = openings.find(({ tenantId }) => tenantId === row.tenant_id);
    if (opening !== undefined) {
      heads.set(row.tenant_id, openedHead(row, opening));
      continue;
    }
    const isNew = row.last_sequence < 0;
    const lastIngestedAt = isNew ? 0 : row.last_ingested_ms;
    heads.set(row.tenant_id, {
      tenantId: row.tenant_id,
      epoch: row.epoch,
      lastSequence: row.last_sequence,
      lastHash: isNew ? zeroHash : row.last_hash,
      lastIngestedAt,
      frontier: readFrontier(row),
    });
    latest = Math.max(latest, lastIngestedAt);
  }
  if (latest > now + maxHeadAheadMs) throw clockBehind(heads.values(), latest, now);
  return { heads, ingestedAt: Math.max(now, latest) };
}

/** @throws {ServerError} `PARAMETER_INVALID` if another process has already begun this epoch or a later one */
function openedHead(row: HeadRow, opening: EpochOpening): Head {
  const { tenantId, epoch } = opening;
  if (row.epoch >= epoch) {
    throw new ServerError(
      'PARAMETER_INVALID',
      `another process has opened epoch ${row.epoch} of ${tenantId} in the meantime`,
      {
        details: { tenant_id: tenantId, epoch: row.epoch },
      },
    );
  }
  const frontier = decodeFrontier(0, new Uint8Array(0));
  return { tenantId, epoch, lastSequence: -1, lastHash: zeroHash, lastIngestedAt: 0, frontier, opening };
}

/** Whether a locked head can be extended now: it is not damaged, and not ahead of the store's clock. */
export function canBeExtended(row: HeadRow): boolean {
  if (row.last_sequence < 0) return true;
  if (row.last_ingested_ms > row.now_ms + maxHeadAheadMs) return false;
  try {
    readFrontier(row);
    return true;
  } catch {
    return false;
  }
}

function clockBehind(heads: Iterable<Head>, latest: number, now: number): ServerError {
  const ahead = [...heads].filter(({ lastIngestedAt }) => lastIngestedAt > now + maxHeadAheadMs);
  return new ServerError(
    'CLOCK_BEHIND_CHAIN',
    "the newest record of a chain is ahead of the store's clock: correct the clock of the database server",
    {
      details: {
        tenant_ids: ahead.map(({ tenantId }) => tenantId),
        head: new Date(latest).toISOString(),
        clock: new Date(now).toISOString(),
      },
    },
  );
}

/** Only the service writes heads. One that cannot be decoded was tampered with, so the chain must not be extended. */
function readFrontier(row: HeadRow): Frontier {
  try {
    return decodeFrontier(row.last_sequence + 1, fromHex(row.frontier)!);
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new ServerError('CHAIN_STOPPED', `the head of ${row.tenant_id} is damaged`, {
      cause,
      details: { tenant_id: row.tenant_id },
    });
  }
}

/** The head of a chain after the batch. */
export interface AdvancedHead {
  readonly tenantId: string;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastHash: string;
  /** Hex. */
  readonly frontier: string;
}

export function advanceHeads(heads: readonly AdvancedHead[], ingestedAt: string): Statement {
  const rows = heads.map((head) => ({
    tenant_id: head.tenantId,
    epoch: head.epoch,
    last_sequence: head.lastSequence,
    last_hash: head.lastHash,
    frontier: head.frontier,
  }));
  return { name: 'tally_advance_heads', text: advanceSql, values: [JSON.stringify(rows), ingestedAt] };
}

const advanceSql = `
  update audit_chain_state s
     set epoch = u.epoch, last_sequence = u.last_sequence, last_hash = decode(u.last_hash, 'hex'),
         last_ingested_at = $2::timestamptz, frontier = decode(u.frontier, 'hex')
    from jsonb_to_recordset($1::jsonb)
      as u(tenant_id text, epoch integer, last_sequence bigint, last_hash text, frontier text)
   where s.tenant_id = u.tenant_id`;
