import { filtersContent } from './filters.ts';
import { type ListedRow, listRows } from './list-rows.ts';
import type { Scan } from './scan.ts';
import type { Range } from './scan-request.ts';
import { conditionsWithin } from './view.ts';

/** Rows of a range that meet the conditions that columns answer. */
export interface RowsInRange {
  readonly rows: readonly ListedRow[];
  /** Whether these are all such rows of the range. */
  readonly isWhole: boolean;
}

/** Reads the first rows of a range, in the order of the page. */
export async function rowsInRange(
  { session, tenantId, request }: Scan,
  { low, high }: Range,
  limit: number,
): Promise<RowsInRange> {
  const { epoch, order, months, view, filters, search } = request;
  const conditions = conditionsWithin(filters, view);
  const { rows, available } = await listRows(session, tenantId, {
    epoch,
    order,
    chained: months.between(low, high),
    view,
    conditions,
    looksAtContent: search !== undefined || filtersContent(conditions),
    limit,
    from: low,
    to: high,
  });
  return { rows, isWhole: rows.length === available && available < limit };
}
