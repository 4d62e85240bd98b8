import type { Access, Database, Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
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
 * The page of a list without filters, in one round trip: most pages that are asked for are such pages of the newest records. It took four, and a
 * plan per request.
 *
 * @returns undefined where a page needs more than these records of the newest epoch: the general way answers then
 */
export async function newestPage(
  database: Database,
  access: Access,
  { tenantId, after, limit, leaveOutReads, view, budget }: NewestPageRequest,
): Promise<NewestPage | undefined> {
  const most = limit + spareRecords;
  const last = after === undefined ? null : after.sequence - 1;
  const statement: Statement<Row> = {
    name: 'tally_newest_page',
    text: newestPageSql,
    values: [tenantId, last, most, view.sensitive, maxPageBytes],
  };
  const [found] = await database.read(access, statement);
  const [first] = found;
  if (first === undefined || (after !== undefined && after.epoch !== first.head_epoch)) return undefined;
  const rows = found.filter((row): row is Row & ListedRow => row.epoch !== null);
  const high = Math.min(last ?? first.head_sequence, first.head_sequence);
  // Sequence numbers have no gaps. Where rows are missing, the limit of bytes has cut the page, or the chain is damaged.
  if (rows.length === 0 || rows.length < Math.min(most, high + 1)) return undefined;
  const page = new FilteredPage({ filters: {}, view, limit, leaveOutReads }, budget);
  const taken = page.take(rows);
  const isChainRead = first.head_epoch === 1 && rows[taken - 1]!.sequence_number === 0;
  return page.isFull || isChainRead ? page.result(!isChainRead) : undefined;
}
