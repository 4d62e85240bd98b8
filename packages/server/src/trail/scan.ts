import type { Session } from '../store/database.ts';
import type { ListedRow } from './list-rows.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { Range, ScanRequest } from './scan-request.ts';

/** What each way to find the rows of a page reads with. Owned by the request. */
export interface Scan {
  readonly session: Session;
  readonly tenantId: string;
  readonly request: ScanRequest;
  readonly budget: ScanBudget;
}

/** Rows at the beginning of a range, by its order, that meet the conditions that columns answer. */
export interface Part {
  readonly rows: readonly ListedRow[];
  /** The position up to which these are all such rows. */
  readonly end: number;
}

/** The position at which a page begins to read a range. */
export function beginningOf({ low, high }: Range, { order }: ScanRequest): number {
  return order === 'desc' ? high : low;
}

/** The position at which a page has read a range. */
export function endOf({ low, high }: Range, { order }: ScanRequest): number {
  return order === 'desc' ? low : high;
}

/**
 * Whether a list finds records of its span of time at its beginning: it has no such span, or it is one of the newest records, without an end.
 * In other lists, there may be many other records between the beginning and the first one that happened in time.
 */
export function beginsInTime({ filters: { from, to }, order }: ScanRequest): boolean {
  return to === undefined && (from === undefined || order === 'desc');
}
