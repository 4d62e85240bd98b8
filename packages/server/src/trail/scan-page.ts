import type { Session } from '../store/database.ts';
import { FilteredPage } from './filtered-page.ts';
import { RecordSource } from './record-source.ts';
import { isSpent, type ScanBudget } from './scan-budget.ts';
import type { ScanRequest } from './scan-request.ts';
import type { EventRow } from './view.ts';

export interface ScannedPage {
  readonly rows: EventRow[];
  readonly more: boolean;
  readonly readsLeftOut: boolean;
  /** The last position that was looked at, where the budget ended the page. */
  readonly cutAt?: number;
  /** The last record of the epoch that the field index has; absent if the page does not depend on it. */
  readonly indexedTo?: number;
}

/**
 * A page for any filters. It reads the range part by part, in its order, until the page is full, the range ends, or the budget is spent.
 * So no combination of filters reads without a bound.
 */
export async function scanPage(
  session: Session,
  tenantId: string,
  request: ScanRequest,
  budget: ScanBudget,
): Promise<ScannedPage> {
  const newestFirst = request.order === 'desc';
  const source = new RecordSource(session, tenantId, request, budget);
  const page = new FilteredPage(request, budget);
  let { from: low, to: high } = request;
  while (low <= high && !page.isFull && !isSpent(budget)) {
    const { rows, end } = await source.next({ low, high }, page.wanted);
    const taken = page.take(rows);
    const reached = taken === rows.length ? end : rows[taken - 1]!.sequence_number;
    if (newestFirst) high = reached - 1;
    else low = reached + 1;
  }
  const isCut = low <= high && !page.isFull;
  return {
    ...page.result(low <= high),
    ...(isCut && { cutAt: newestFirst ? high + 1 : low - 1 }),
    ...(source.indexedTo !== undefined && { indexedTo: source.indexedTo }),
  };
}
