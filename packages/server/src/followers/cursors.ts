import { type Database, type Queries, type Session, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

const placeSql = readSql('follower-place');
const changedSql = readSql('changed-tenants');

/** Whose cursors: those of one generation of a follower. */
export interface CursorSet {
  readonly follower: string;
  readonly generation: number;
}

/** The last record that a follower has read of a chain. */
export interface CursorPosition {
  readonly epoch: number;
  /** -1 before the first record. */
  readonly sequence: number;
  /** Hex; empty before the first record. */
  readonly hash: string;
}

/** Before the first record of a chain. */
const beforeFirst: CursorPosition = { epoch: 1, sequence: -1, hash: '' };

/** Why a follower has stopped for a tenant. */
type StopCode =
  /** The record of the cursor is not in the chain any more: the store was restored, or the chain was rewritten. */
  | 'CURSOR_NOT_IN_CHAIN'
  /** The next records do not continue the chain: one is missing, unreadable or altered. */
  | 'CHAIN_BROKEN'
  /** A record can't be applied or delivered. */
  | 'RECORD_REFUSED';

export interface Stop {
  readonly code: StopCode;
  /** For the operator: what was found, and the next step. Never the content of an event. */
  readonly reason: string;
}

/** Where a follower is in a chain, and how far the chain reaches. */
export interface Place {
  readonly cursor: CursorPosition;
  /** Whether the cursor has a row. */
  readonly exists: boolean;
  readonly stopped: boolean;
  /** Absent for a tenant without a chain. */
  readonly head: { readonly epoch: number; readonly sequence: number } | undefined;
  /** Last sequence number that belongs to the cursor's epoch; undefined if the chain has no such epoch. */
  readonly epochEnd: number | undefined;
  readonly nextEpoch: number | undefined;
}

interface PlaceRow {
  readonly epoch: number | null;
  readonly sequence_number: number | null;
  readonly record_hash: string | null;
  readonly stopped_code: string | null;
  readonly head_epoch: number | null;
  readonly head_sequence: number | null;
  readonly epoch_end: number | null;
  readonly next_epoch: number | null;
}

export async function readPlace(
  session: Queries,
  { follower, generation }: CursorSet,
  tenantId: string,
): Promise<Place> {
  const [row] = (await session.query<PlaceRow>(placeSql, [follower, generation, tenantId])) as [PlaceRow];
  const exists = row.epoch !== null;
  return {
    cursor: exists
      ? { epoch: row.epoch!, sequence: row.sequence_number!, hash: row.record_hash! }
      : beforeFirst,
    exists,
    stopped: row.stopped_code !== null,
    head: row.head_epoch === null ? undefined : { epoch: row.head_epoch, sequence: row.head_sequence! },
    epochEnd: row.epoch_end ?? undefined,
    nextEpoch: row.next_epoch ?? undefined,
  };
}

/**
 * Moves a cursor by compare-and-swap. The row stays locked until the transaction ends, so two owners never apply the same records.
 *
 * @returns false if the cursor is not where it was, or has stopped: another owner was faster
 */
export async function moveCursor(
  session: Session,
  { follower, generation }: CursorSet,
  tenantId: string,
  { cursor, exists }: Pick<Place, 'cursor' | 'exists'>,
  to: CursorPosition,
): Promise<boolean> {
  const values = [follower, generation, tenantId, to.epoch, to.sequence, to.hash];
  const rows = exists
    ? await session.query(moveSql, [...values, cursor.epoch, cursor.sequence, cursor.hash])
    : await session.query(beginSql, values);
  return rows.length > 0;
}

const moveSql = `
  update audit_follower_cursors
     set epoch = $4::integer, sequence_number = $5::bigint, record_hash = decode($6, 'hex'), moved_at = clock_timestamp()
   where follower = $1 and generation = $2::integer and tenant_id = $3 and stopped_code is null
     and epoch = $7::integer and sequence_number = $8::bigint and record_hash = decode($9, 'hex')
  returning 1 as one`;

const beginSql = `
  insert into audit_follower_cursors (follower, generation, tenant_id, epoch, sequence_number, record_hash)
  values ($1, $2::integer, $3, $4::integer, $5::bigint, decode($6, 'hex')) on conflict do nothing
  returning 1 as one`;

/** Stops a follower for one tenant, unless its cursor has moved meanwhile. */
export async function stopCursor(
  database: Database,
  set: CursorSet,
  tenantId: string,
  { cursor, exists }: Pick<Place, 'cursor' | 'exists'>,
  { code, reason }: Stop,
): Promise<void> {
  await database.transaction(writer, async (session) => {
    if (!(await moveCursor(session, set, tenantId, { cursor, exists }, cursor))) return;
    await session.query(
      `update audit_follower_cursors set stopped_code = $4, stopped_reason = $5, stopped_at = clock_timestamp()
        where follower = $1 and generation = $2::integer and tenant_id = $3`,
      [set.follower, set.generation, tenantId, code, reason],
    );
  });
}

/** Tenants of these buckets that a follower has not read to the head. */
export async function changedTenants(
  database: Database,
  { follower, generation }: CursorSet,
  buckets: readonly number[],
  limit: number,
): Promise<string[]> {
  const rows = await database.query<{ tenant_id: string }>(writer, changedSql, [
    follower,
    generation,
    [...buckets],
    limit,
  ]);
  return rows.map(({ tenant_id }) => tenant_id);
}
