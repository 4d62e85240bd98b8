import type { Session } from '../store/database.ts';
import {
  type AccountRow,
  findTouchedRanges,
  insertAccounts,
  lockAccounts,
  type TouchedRow,
} from './account-rows.ts';
import { type HeadRow, insertHeads, lockHeads } from './head.ts';
import type { MergedBatch } from './merge-batches.ts';
import { insertPositions, lockPositions, type PositionRow } from './source-position.ts';

/** The rows that other writers may change too, read under their locks. */
export interface LockedRows {
  readonly positions: readonly PositionRow[];
  readonly heads: readonly HeadRow[];
  readonly accounts: readonly AccountRow[];
  readonly touchedRanges: readonly TouchedRow[];
}

/**
 * Takes all locks of a batch in one round trip: first sources, then heads, then accounts, each kind in the order of its
 * keys. All writers use this order, so two batches cannot deadlock.
 *
 * Nearly always all rows exist. A row that is missing must be created before the locks that follow it are taken, which
 * needs another transaction: call again with `create`, which creates the missing rows of each kind before it locks them.
 *
 * A crash loses nothing here: the only new rows are empty ones.
 *
 * @returns `undefined` if a source, a tenant or an account has no row yet
 */
export async function lockRows(
  session: Session,
  merged: MergedBatch,
  missingRows: 'report' | 'create',
): Promise<LockedRows | undefined> {
  const [positions, heads, accountRows, touchedRanges] =
    missingRows === 'create' ? await createAndLock(session, merged) : await lock(session, merged);
  const isComplete =
    positions.length >= merged.ranges.length &&
    heads.length >= merged.tenantIds.length &&
    accountRows.length >= merged.accounts.length;
  return isComplete ? { positions, heads, accounts: accountRows, touchedRanges } : undefined;
}

async function lock(session: Session, { ranges, tenantIds, accounts }: MergedBatch) {
  return await session.pipeline(
    lockPositions(ranges),
    lockHeads(tenantIds),
    lockAccounts(accounts),
    findTouchedRanges(accounts),
  );
}

async function createAndLock(session: Session, { ranges, tenantIds, accounts }: MergedBatch) {
  const [, positions, , heads, , accountRows, touchedRanges] = await session.pipeline(
    insertPositions(ranges),
    lockPositions(ranges),
    insertHeads(tenantIds),
    lockHeads(tenantIds),
    insertAccounts(accounts),
    lockAccounts(accounts),
    findTouchedRanges(accounts),
  );
  return [positions, heads, accountRows, touchedRanges] as const;
}
