import { filterMatcher } from '@tallystick/event';
import { plannedByValues, plannedOnce, type Session, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import { filtersContent } from './filters.ts';
import { inOrderOfIndex } from './index-order.ts';
import { type ListedRow, maxPageBytes, type OrderedColumn, orderedColumns } from './list-rows.ts';
import { eventOf, isComparedWithRecord } from './rows-at.ts';
import type { Range, ScanRequest } from './scan-request.ts';
import { conditionsWithin } from './view.ts';

const columnPageSql = readSql('column-page');
const textOf = (column: OrderedColumn, order: string) =>
  columnPageSql.replaceAll('{column}', column).replaceAll('{direction}', order);
const texts: ReadonlyMap<string, string> = new Map(
  orderedColumns.flatMap((column) =>
    ['asc', 'desc'].map((order) => [`${column}_${order}`, textOf(column, order)] as const),
  ),
);

/** Rows that have a value in a column whose index is in the order of the chain. */
export interface ColumnPage {
  /** Those that meet the filters. */
  readonly rows: readonly ListedRow[];
  /** How many rows with the value were compared with the filters. */
  readonly compared: number;
  /** The last position that was looked at; undefined if it is the end of the range. */
  readonly reached: number | undefined;
}

/** A value of a column, and how many rows with it to read. */
export interface ColumnPlace {
  readonly column: OrderedColumn;
  readonly value: string;
  /** Most rows that are compared with the ranges of the filters. */
  readonly most: number;
  /** Most rows whose records are read. */
  readonly wanted: number;
}

/**
 * Reads rows by the index of a column, month by month, and compares their bytes with the filters. As {@link rowsAt}, the statement is the same for
 * all filters, so the server has its plan. The caller bounds the number of months: the server prepares a scan for each of them.
 */
export async function columnPage(
  session: Session,
  tenantId: string,
  { epoch, order, view, filters, months }: ScanRequest,
  { low, high }: Range,
  { column, value, most, wanted }: ColumnPlace,
): Promise<ColumnPage> {
  const conditions = conditionsWithin(filters, view);
  const each = months.each(low, high);
  if (order === 'desc') each.reverse();
  const { from, to } = months.between(low, high);
  const name = `${column}_${order}`;
  const statement: Statement<ListedRow & { readonly is_listed: boolean; readonly available: number }> = {
    name: `tally_${name}`,
    text: texts.get(name)!,
    values: [
      tenantId,
      epoch,
      low,
      high,
      value,
      most,
      each.map((month) => month.from),
      each.map((month) => month.to),
      from,
      to,
      view.sensitive,
      view.sensitive || !filtersContent(conditions),
      filters.from ?? anyTime.from,
      filters.to ?? anyTime.to,
      filters.ingested_from ?? anyTime.from,
      filters.ingested_to ?? anyTime.to,
      maxPageBytes,
      wanted,
    ],
  };
  const [, , found] = await session.pipeline(
    plannedOnce,
    { text: inOrderOfIndex('off') },
    statement,
    { text: inOrderOfIndex('on') },
    plannedByValues,
  );
  const isWhole = found.length < most && found.length === (found[0]?.available ?? 0);
  const matches = filterMatcher(conditions.filter(isComparedWithRecord));
  return {
    rows: found.filter((row) => row.is_listed && matches(eventOf(row))),
    compared: found.length,
    reached: isWhole ? undefined : found.at(-1)!.sequence_number,
  };
}
