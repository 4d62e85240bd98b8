import type { Session } from '../store/database.ts';
import {
  type Account,
  type BookRow,
  insertAccounts,
  lockAccounts,
  type RangeRow,
  readRanges,
} from './accounting.ts';
import type { SourceRange } from './batch.ts';
import { type HeadRow, insertHeads, lockHeads } from './head.ts';
import { insertPositions, lockPositions, type PositionRow } from './source-position.ts';

/** Whatever a batch may touch that other writers touch too. */
export interface Wanted {
  readonly ranges: readonly SourceRange[];
  /** In order. */
  readonly tenantIds: readonly string[];
  readonly accounts: readonly Account[];
}

/** What was found under the locks. */
export interface Locked {
  readonly positions: readonly PositionRow[];
  readonly heads: readonly HeadRow[];
  readonly books: readonly BookRow[];
  readonly ranges: readonly RangeRow[];
}

/** A source, a tenant or an account is new: there is no row to lock. */
export class RowsMissing extends Error {}

/**
 * Takes all locks of a batch in one round trip, and in one order, which all writers keep: sources, heads, accounts, each
 * by its key. So two batches can't wait for each other.
 *
 * Nearly always all rows exist, so they are made only when asked for, each kind before its locks are taken. To make them
 * afterwards, with later locks held, would break the order: so it needs another transaction.
 *
 * A crash loses nothing here: nothing has been written but rows that say that nothing was.
 *
 * @throws {RowsMissing} unless they are to be made
 */
export async function lockAll(session: Session, wanted: Wanted, makeRows: boolean): Promise<Locked> {
  const { ranges, tenantIds, accounts } = wanted;
  const [positions, heads, books, settled] = makeRows
    ? await made(session, wanted)
    : await existing(session, wanted);
  if (positions.length < ranges.length || heads.length < tenantIds.length || books.length < accounts.length) {
    throw new RowsMissing();
  }
  return { positions, heads, books, ranges: settled };
}

async function existing(session: Session, { ranges, tenantIds, accounts }: Wanted) {
  return await session.pipeline(
    lockPositions(ranges),
    lockHeads(tenantIds),
    lockAccounts(accounts),
    readRanges(accounts),
  );
}

async function made(session: Session, { ranges, tenantIds, accounts }: Wanted) {
  const [, positions, , heads, , books, settled] = await session.pipeline(
    insertPositions(ranges),
    lockPositions(ranges),
    insertHeads(tenantIds),
    lockHeads(tenantIds),
    insertAccounts(accounts),
    lockAccounts(accounts),
    readRanges(accounts),
  );
  return [positions, heads, books, settled] as const;
}
