import type { EventFilters } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { Position } from './cursor.ts';
import { conditionsOf, derivedConditions, filtersContent, onlyReads, withoutReads } from './filters.ts';
import { firstFilter, listRows, type Order } from './list-rows.ts';
import { type ScanBudget, type ScannedPage, type ScanRequest, scanPage } from './scan-page.ts';
import type { ViewOptions } from './view.ts';

const hasReads = readSql('has-reads').replace('{only_reads}', onlyReads);

/** Number of the first parameter that belongs to a filter, in has-reads.sql. */
const firstReadsFilter = 5;

const maxSequence = Number.MAX_SAFE_INTEGER;

interface PageRequest {
  readonly filters: EventFilters;
  readonly view: ViewOptions;
  readonly order: Order;
  readonly epoch: number;
  readonly after?: Position | undefined;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Whether records of reads are left out. @defaultValue false */
  readonly leaveOutReads?: boolean;
  readonly budget: ScanBudget;
}

/** Rows of one epoch, and whether there are more. */
export async function readPage(
  session: Session,
  tenantId: string,
  request: PageRequest,
): Promise<ScannedPage> {
  const { filters, order, after, leaveOutReads = false } = request;
  // Sequence numbers have no gaps, so "after this record" is one more bound of the range.
  let from = Math.max(0, filters.sequence_from ?? 0, request.from ?? 0);
  let to = Math.min(maxSequence, filters.sequence_to ?? maxSequence, request.to ?? maxSequence);
  if (after !== undefined && order === 'asc') from = Math.max(from, after.sequence + 1);
  if (after !== undefined && order === 'desc') to = Math.min(to, after.sequence - 1);
  if (from > to) return { rows: [], more: false, readsLeftOut: false };
  const page: ScanRequest = { ...request, from, to, leaveOutReads };
  return derivedConditions(filters).length > 0
    ? await scanPage(session, tenantId, page, request.budget)
    : await columnsPage(session, tenantId, page);
}

/** A page for filters that columns answer. */
async function columnsPage(session: Session, tenantId: string, request: ScanRequest): Promise<ScannedPage> {
  const { filters, order, epoch, from, to, limit, leaveOutReads } = request;
  const { sql, values } = conditionsOf(filters, firstFilter);
  const found = await listRows(session, tenantId, {
    ...request,
    // One row more than the page: it shows whether there is another page.
    limit: limit + 1,
    conditions: { sql: leaveOutReads ? `${withoutReads} ${sql}` : sql, values },
    looksAtContent: filtersContent(filters),
  });
  const rows = found.rows.slice(0, limit);
  const more = found.available > rows.length;
  if (!leaveOutReads) return { rows, more, readsLeftOut: false };
  const last = rows.at(-1)?.sequence_number;
  const shown = !more || last === undefined ? [from, to] : order === 'asc' ? [from, last] : [last, to];
  const [left] = await session.query<{ found: boolean }>(
    hasReads.replace('{filters}', () => conditionsOf(filters, firstReadsFilter).sql),
    [tenantId, epoch, ...shown, ...values],
  );
  return { rows, more, readsLeftOut: left?.found === true };
}
