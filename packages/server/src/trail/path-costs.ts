/**
 * What two ways to find records that meet several conditions cost, in ms of the database: by the index of a column, each of whose rows is compared
 * with the other conditions, and by the index of terms, block by block. Measured at five million records in 84 months (`npm run bench -- query`).
 */

/** To compare a row of a column's index: 2,000 rows take 4.5 to 5.5 ms, and read 2,250 blocks of the database. */
const rowMs = 0.0025;
/** To find the blocks, count what is in one of them, and look up what was found. */
const termsMs = 5;
/** To search a block of 4,096 records for two terms, which takes 9 blocks of the database: 12 ms for 1,000. */
const blockMs = 0.012;

/** What has been read by the index of a column, and what is missing. */
export interface ColumnProgress {
  /** Rows that were compared, and those of them that met all conditions. */
  readonly compared: number;
  readonly found: number;
  /** Records of the chain between the first and the last of them. */
  readonly passed: number;
  /** Records of the chain that are not looked at yet. */
  readonly left: number;
  /** Rows that the page has room for. */
  readonly missing: number;
}

/** How much one way to the rest of a page reads. */
export interface PathEstimate {
  /** Rows of the column's index. */
  readonly rows: number;
  /** Records of the chain in whose blocks a search looks. */
  readonly records: number;
}

/** How much the rest of the page reads, if it is as what was read. */
export function estimateRest({ compared, found, passed, left, missing }: ColumnProgress): PathEstimate {
  const perRecord = compared / Math.max(1, passed);
  const toFill = (missing * compared) / Math.max(1, found);
  const rows = Math.min(perRecord * left, toFill);
  return { rows, records: perRecord === 0 ? left : Math.min(left, rows / perRecord) };
}

export function columnCost({ rows }: PathEstimate): number {
  return rows * rowMs;
}

/** @param blocks in which the search looks */
export function termsCost(blocks: number): number {
  return termsMs + blocks * blockMs;
}
