import { type Access, type Database, plannedOnce, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime, type KnownMonths } from './chain-months.ts';
import type { Position } from './cursor.ts';
import { FilteredPage } from './filtered-page.ts';
import { type ListedRow, maxPageBytes } from './list-rows.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { EventRow, ViewOptions } from './view.ts';

const newestPageSql = readSql('newest-page');

/** Records that are read beyond the page: one shows that there is another page, the others make up for bookkeeping that is left out. */
const spareRecords = 8;

interface NewestPageRequest {
  readonly tenantId: string;
  readonly after: Position | undefined;
  readonly limit: number;
  readonly leaveOutReads: boolean;
  readonly view: ViewOptions;
  readonly budget: ScanBudget;
}

export interface NewestPage {
  readonly rows: readonly EventRow[];
  /** Whether there is another page. */
  readonly more: boolean;
  readonly readsLeftOut: boolean;
}

type Row = { readonly head_epoch: number; readonly head_sequence: number } & (
  | (ListedRow & { readonly epoch: number })
  | { readonly epoch: null }
);

/**
 * The page of a list without filters, in one round trip. Most requested pages are such pages of the newest records. The general way takes four
 * round trips, and a plan per request.
 *
 * @returns undefined where a page needs more than these records of the newest epoch: the general way answers then
 */
export async function newestPage(
  database: Database,
  access: Access,
  known: KnownMonths,
  { tenantId, after, limit, leaveOutReads, view, budget }: NewestPageRequest,
): Promise<NewestPage | undefined> {
  const most = limit + spareRecords;
  const last = after === undefined ? null : after.sequence - 1;
  const queries = {
    query: <R extends object>(sql: string, values?: readonly unknown[]) =>
      database.query<R>(access, sql, values),
  };
  const months = await known.of(queries, tenantId, after?.epoch);
  const low = (last ?? months.newest) - most + 1;
  // Of a page that begins at the head, only the older end is known.
  const { from } = months.between(low, low);
  const { to } = last === null ? anyTime : months.between(last, last);
  const statement: Statement<Row> = {
    name: 'tally_newest_page',
    text: newestPageSql,
    values: [tenantId, last, most, view.sensitive, maxPageBytes, from, to],
  };
  const [, found] = await database.read(access, plannedOnce, statement);
  const [first] = found;
  if (first === undefined || (after !== undefined && after.epoch !== first.head_epoch)) return undefined;
  const rows = found.filter((row): row is Row & ListedRow => row.epoch !== null);
  const high = Math.min(last ?? first.head_sequence, first.head_sequence);
  // Sequence numbers have no gaps: otherwise the chain is damaged. The limit of bytes may have left out the last rows.
  if (rows.length === 0 || rows.at(-1)!.sequence_number !== high - rows.length + 1) return undefined;
  const page = new FilteredPage({ filters: {}, view, limit, leaveOutReads }, budget);
  const taken = page.take(rows);
  const isChainRead = first.head_epoch === 1 && rows[taken - 1]!.sequence_number === 0;
  return page.isFull || isChainRead ? page.result(!isChainRead) : undefined;
}
