import { type AuditRecord, computeRecordHash, readRecord, zeroHash } from '@tallystick/log';
import type { Queries } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { CursorPosition, Place, Stop } from './cursors.ts';
import type { FollowedRecord } from './follower.ts';

const pageSql = readSql('follower-page');

/** Most bytes of the records of a page; it has one record at least. */
const maxPageBytes = 4 * 1024 * 1024;

/** The next records of a chain, or why there are none. */
export type PageRead =
  | { readonly status: 'records'; readonly records: readonly FollowedRecord[]; readonly atEnd: boolean }
  | { readonly status: 'caught_up' }
  | { readonly status: 'stopped'; readonly stop: Stop };

/**
 * Reads the records after a cursor. The record of the cursor itself is read too: its bytes must have the hash that the cursor remembers,
 * and every following record must name its predecessor. So a follower never continues on another chain than the one it has read.
 *
 * Commits of one tenant wait for each other at the lock of its head, so all records up to a head that was read are visible.
 */
export async function readPage(
  session: Queries,
  tenantId: string,
  place: Place,
  limit: number,
): Promise<PageRead> {
  const { cursor, head, epochEnd, nextEpoch } = place;
  if (cursor.sequence < 0) {
    if (head === undefined) return { status: 'caught_up' };
    // Epochs that left no record, after a restore that lost everything, have nothing to read.
    const first = epochEnd !== undefined ? cursor.epoch : (nextEpoch ?? head.epoch);
    return await readEpoch(session, tenantId, { ...place, cursor: { ...cursor, epoch: first } }, limit);
  }
  // Two partitions may have a row at this position if one was planted. One of them must be the record that was read.
  const own = await readRows(session, tenantId, cursor.epoch, cursor.sequence, cursor.sequence, 2);
  if (
    epochEnd === undefined ||
    cursor.sequence > epochEnd ||
    !own.some(({ record }) => computeRecordHash(record) === cursor.hash)
  ) {
    return { status: 'stopped', stop: notInChain(cursor) };
  }
  return await readEpoch(session, tenantId, place, limit);
}

async function readEpoch(
  session: Queries,
  tenantId: string,
  { cursor, head, nextEpoch }: Pick<Place, 'cursor' | 'head' | 'nextEpoch'>,
  limit: number,
): Promise<PageRead> {
  if (head === undefined) return { status: 'stopped', stop: notInChain(cursor) };
  const isClosed = head.epoch > cursor.epoch;
  const to = isClosed ? Number.MAX_SAFE_INTEGER : head.sequence;
  if (cursor.sequence < to) {
    const end = isClosed ? await endOfEpoch(session, tenantId, cursor.epoch) : to;
    const rows = await readRows(session, tenantId, cursor.epoch, cursor.sequence + 1, end, limit);
    const read = checkLinks(rows, cursor, { isClosed, head: head.sequence });
    if (read !== undefined) return read;
  }
  if (!isClosed || nextEpoch === undefined) return { status: 'caught_up' };
  const next: CursorPosition = { epoch: nextEpoch, sequence: -1, hash: '' };
  const after = await nextEpochAfter(session, tenantId, nextEpoch);
  return await readEpoch(session, tenantId, { cursor: next, head, nextEpoch: after }, limit);
}

/**
 * Checks that rows continue the chain after a position.
 *
 * A closed epoch may have holes: what a restore lost is stated in the genesis record of the epoch after it.
 *
 * @returns undefined if there are no rows in a closed epoch
 */
function checkLinks(
  rows: readonly Row[],
  after: CursorPosition,
  { isClosed, head }: { readonly isClosed: boolean; readonly head: number },
): PageRead | undefined {
  const records: FollowedRecord[] = [];
  let last = after;
  for (const { sequence_number: sequence, record: text } of rows) {
    if (sequence === last.sequence) continue;
    const follows = sequence === last.sequence + 1;
    const record = follows || isClosed ? readable(text) : undefined;
    const link = last.hash === '' ? zeroHash : last.hash;
    const isLinked =
      record?.sequence_number === sequence && (follows ? record.previous_hash === link : isClosed);
    if (record === undefined || !isLinked) {
      if (records.length > 0) break;
      return { status: 'stopped', stop: broken(after, sequence) };
    }
    const hash = computeRecordHash(text);
    records.push({ epoch: after.epoch, sequence, hash, text, record });
    last = { epoch: after.epoch, sequence, hash };
  }
  if (records.length > 0) return { status: 'records', records, atEnd: !isClosed && last.sequence === head };
  return isClosed ? undefined : { status: 'stopped', stop: broken(after, after.sequence + 1) };
}

function readable(text: string): AuditRecord | undefined {
  try {
    return readRecord(text);
  } catch {
    return undefined;
  }
}

interface Row {
  readonly sequence_number: number;
  readonly record: string;
}

/** Rows of a range of an epoch in chain order, both ends included: at most `limit`, and 4 MiB of records. */
export async function readRows(
  session: Queries,
  tenantId: string,
  epoch: number,
  from: number,
  to: number,
  limit: number,
): Promise<Row[]> {
  return await session.query<Row>(pageSql, [tenantId, epoch, from, to, limit, maxPageBytes]);
}

async function endOfEpoch(session: Queries, tenantId: string, epoch: number): Promise<number> {
  const [row] = await session.query<{ last_sequence: number }>(
    'select last_sequence from audit_chain_ranges where tenant_id = $1 and epoch = $2::integer',
    [tenantId, epoch],
  );
  return row?.last_sequence ?? -1;
}

async function nextEpochAfter(
  session: Queries,
  tenantId: string,
  epoch: number,
): Promise<number | undefined> {
  const [row] = await session.query<{ epoch: number | null }>(
    'select min(epoch) as epoch from audit_chain_ranges where tenant_id = $1 and epoch > $2::integer',
    [tenantId, epoch],
  );
  return row?.epoch ?? undefined;
}

function notInChain({ epoch, sequence }: CursorPosition): Stop {
  return {
    code: 'CURSOR_NOT_IN_CHAIN',
    reason:
      `record ${sequence} of epoch ${epoch}, the last one that was read, is not in the chain any more: the store was restored ` +
      'from an older backup, or the chain was rewritten. Recover the chain if it is stopped, then reset the follower for this tenant',
  };
}

function broken({ epoch }: CursorPosition, sequence: number): Stop {
  return {
    code: 'CHAIN_BROKEN',
    reason:
      `record ${sequence} of epoch ${epoch} is missing, unreadable or does not continue the chain. Verify the trail, then resume the ` +
      'follower for this tenant',
  };
}
