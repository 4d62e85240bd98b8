import { decodeFrontier, type Frontier, fromHex, LogError, zeroHash } from '@tallystick/log';
import { ServerError } from '../errors.ts';
import type { Session } from '../store/database.ts';

/** The locked head of a tenant's chain, as the transaction found it. */
export interface Head {
  readonly tenantId: string;
  readonly epoch: number;
  /** −1: the tenant is new and its genesis is to be written by this transaction. */
  readonly lastSequence: number;
  readonly lastHash: string;
  /** Milliseconds since the epoch. */
  readonly lastIngestedAt: number;
  readonly frontier: Frontier;
}

interface HeadRow {
  tenant_id: string;
  epoch: number;
  last_sequence: number;
  last_hash: string;
  last_ingested_ms: number;
  frontier: string;
  now_ms: number;
}

// The lock is taken inside, the clock read outside: it must not show a time before the lock was won.
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

/** How far a head may lie ahead of the store's clock: more would pin the chain to a wrong month. */
const maxHeadAheadMs = 5 * 60 * 1000;

/**
 * Locks the heads of these tenants, in tenant order so that two batches can't wait for each other, and makes rows for
 * tenants that have none: whoever races for one genesis waits here for the winner's commit.
 *
 * @returns the heads, and the store's time for the whole batch, ms: never before any head's
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN`, or `CHAIN_STOPPED` for a head that is no head
 */
export async function lockHeads(
  session: Session,
  tenantIds: readonly string[],
): Promise<{ readonly heads: Map<string, Head>; readonly ingestedAt: number }> {
  let rows = await session.query<HeadRow>(lockSql, [tenantIds]);
  if (rows.length < tenantIds.length) {
    await session.query(insertSql, [tenantIds.filter((id) => !rows.some((row) => row.tenant_id === id))]);
    rows = await session.query<HeadRow>(lockSql, [tenantIds]);
  }
  let now = 0;
  let latest = 0;
  const heads = new Map<string, Head>();
  for (const row of rows) {
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
    now = Math.max(now, row.now_ms);
    latest = Math.max(latest, lastIngestedAt);
  }
  if (latest > now + maxHeadAheadMs) {
    throw new ServerError(
      'CLOCK_BEHIND_CHAIN',
      "a chain's head lies ahead of the store's clock: set the clock right",
      {
        details: { head: new Date(latest).toISOString(), clock: new Date(now).toISOString() },
      },
    );
  }
  return { heads, ingestedAt: Math.max(now, latest) };
}

/** Nobody but the writer sets a head, so one that can't be read was tampered with: it must not be built upon. */
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

/** A head as the batch leaves it. */
export interface AdvancedHead {
  readonly tenantId: string;
  readonly lastSequence: number;
  readonly lastHash: string;
  /** Hex. */
  readonly frontier: string;
}

export async function advanceHeads(
  session: Session,
  heads: readonly AdvancedHead[],
  ingestedAt: string,
): Promise<void> {
  await session.query(
    `update audit_chain_state s
        set last_sequence = u.last_sequence, last_hash = decode(u.last_hash, 'hex'),
            last_ingested_at = $2::timestamptz, frontier = decode(u.frontier, 'hex')
       from jsonb_to_recordset($1::jsonb) as u(tenant_id text, last_sequence bigint, last_hash text, frontier text)
      where s.tenant_id = u.tenant_id`,
    [
      JSON.stringify(
        heads.map((head) => ({
          tenant_id: head.tenantId,
          last_sequence: head.lastSequence,
          last_hash: head.lastHash,
          frontier: head.frontier,
        })),
      ),
      ingestedAt,
    ],
  );
}
