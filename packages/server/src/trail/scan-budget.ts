/** What one request may still read. Owned by the request. */
export interface ScanBudget {
  /** Records whose bytes are compared with the filters. */
  records: number;
  /** Characters of these records: one has up to 256 KiB, and each is parsed. */
  characters: number;
  /** Rows that the database compares with the filters. */
  rows: number;
  /** Searches of the indexes of terms. */
  searches: number;
  /** Entries of the indexes of terms that searches for several terms at once compare. */
  entries: number;
  /** Whether an index was searched. The first search is always allowed, so that a page does not end where it began. */
  hasSearched: boolean;
}

/** How much one request may read to find its page. */
export interface ScanLimits {
  /** @defaultValue 5000 */
  readonly records?: number | undefined;
  /** @defaultValue 32 Mi */
  readonly characters?: number | undefined;
  /** @defaultValue 20000 */
  readonly rows?: number | undefined;
  /** @defaultValue 64 */
  readonly searches?: number | undefined;
  /** @defaultValue 1000000 */
  readonly entries?: number | undefined;
}

export function scanBudget({
  records = 5_000,
  characters = 32 * 1024 * 1024,
  rows = 20_000,
  searches = 64,
  entries = 1_000_000,
}: ScanLimits = {}): ScanBudget {
  return { records, characters, rows, searches, entries, hasSearched: false };
}

export function isSpent({ records, characters, rows, searches, entries }: ScanBudget): boolean {
  return records <= 0 || characters <= 0 || rows <= 0 || searches <= 0 || entries <= 0;
}
