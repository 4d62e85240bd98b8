import type { Session } from '../store/database.ts';
import {
  type AccountRow,
  findOtherSubmitters,
  findTouchedRanges,
  insertAccounts,
  lockAccounts,
  type OtherSubmitterRow,
  type TouchedRow,
} from './account-rows.ts';
import { type HeadRow, insertHeads, lockHeads } from './head.ts';
import type { MergedBatch } from './merge-batches.ts';
import { insertPositions, lockPositions, type PositionRow } from './source-position.ts';

/** The rows that other writers may change too, read under their locks. */
export interface LockedRows {
  readonly positions: readonly PositionRow[];
  readonly heads: readonly HeadRow[];
  /** Tenants whose heads are locked, if they exist. */
  readonly lockedTenants: ReadonlySet<string>;
  readonly accounts: readonly AccountRow[];
  readonly touchedRanges: readonly TouchedRow[];
  readonly otherSubmitters: readonly OtherSubmitterRow[];
}

/**
 * Which locks a transaction takes.
 *
 * - `usual`: on rows that exist.
 * - `create`: also on missing rows, which it creates first. Nearly always all rows exist.
 * - `books`: also on every chain that may have to record a change of the books. Few batches need them.
 */
export const lockModes = ['usual', 'create', 'books'] as const;
export type LockMode = (typeof lockModes)[number];

/**
 * Takes all locks of a batch in one round trip: first sources, then heads, then accounts, each kind in the order of its
 * keys. All writers use this order, so two batches cannot deadlock.
 *
 * A row that is missing must be created before the locks that follow it are taken, which needs another transaction: call
 * again with the next mode.
 *
 * A crash loses nothing here: the only new rows are empty ones.
 *
 * @returns `undefined` if a source, a tenant or an account has no row yet
 */
export async function lockRows(
  session: Session,
  merged: MergedBatch,
  mode: LockMode,
  serviceTenant: string,
): Promise<LockedRows | undefined> {
  const { letterTenants, letterService, finalTenants } = merged;
  const service = mode === 'books' ? serviceTenant : letterService;
  const tenantIds = [...new Set([...merged.tenantIds, ...(service === undefined ? [] : [service])])].sort();
  const lockedTenants = new Set([...tenantIds, ...letterTenants, ...finalTenants]);
  const wanted = { ...merged, tenantIds, lockedTenants: [...lockedTenants].sort() };
  const [positions, heads, accounts, touchedRanges] =
    mode === 'usual' ? await lock(session, wanted) : await createAndLock(session, wanted);
  const existing = new Set(heads.map((head) => head.tenant_id));
  const isComplete =
    positions.length >= merged.ranges.length &&
    tenantIds.every((tenantId) => existing.has(tenantId)) &&
    accounts.length >= merged.accounts.length;
  if (!isComplete) return undefined;
  // Only a batch with the last number of a producer needs this round trip.
  const isClosing = merged.accounts.some(({ finals }) => finals.length > 0);
  const [otherSubmitters] = isClosing ? await session.pipeline(findOtherSubmitters(merged.accounts)) : [[]];
  return { positions, heads, lockedTenants, accounts, touchedRanges, otherSubmitters };
}

type WantedLocks = MergedBatch & { readonly lockedTenants: readonly string[] };

async function lock(session: Session, { ranges, lockedTenants, accounts }: WantedLocks) {
  return await session.pipeline(
    lockPositions(ranges),
    lockHeads(lockedTenants),
    lockAccounts(accounts),
    findTouchedRanges(accounts),
  );
}

async function createAndLock(session: Session, { ranges, tenantIds, lockedTenants, accounts }: WantedLocks) {
  const [, positions, , heads, , accountRows, touchedRanges] = await session.pipeline(
    insertPositions(ranges),
    lockPositions(ranges),
    insertHeads(tenantIds),
    lockHeads(lockedTenants),
    insertAccounts(accounts),
    lockAccounts(accounts),
    findTouchedRanges(accounts),
  );
  return [positions, heads, accountRows, touchedRanges] as const;
}
