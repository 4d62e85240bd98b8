import { filterMatcher } from '@tallystick/event';
import { plannedByValues, plannedOnce, type Session, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import { columnConditions, columnConditionsSql } from './column-conditions.ts';
import { filtersContent } from './filters.ts';
import { inOrderOfIndex } from './index-order.ts';
import { type ListedRow, maxPageBytes, type Order } from './list-rows.ts';
import { type OrderedColumn, orderedColumns } from './ordered-columns.ts';
import { eventOf, isComparedWithRecord } from './rows-at.ts';
import type { Range, ScanRequest } from './scan-request.ts';
import { conditionsWithin } from './view.ts';

/** Number of the first parameter that belongs to a condition in column-page.sql. */
const firstCondition = 19;
const columnPageSql = readSql('column-page').replace('{conditions}', () =>
  columnConditionsSql(firstCondition),
);
/** The statement for a column and an order. */
export const columnPageText = (column: OrderedColumn, order: Order) =>
  columnPageSql
    .replaceAll('{column}', column)
    .replaceAll('{direction}', order)
    .replace('{last}', order === 'desc' ? 'min' : 'max');
const texts: ReadonlyMap<string, string> = new Map(
  orderedColumns.flatMap((column) =>
    (['asc', 'desc'] as const).map((order) => [`${column}_${order}`, columnPageText(column, order)] as const),
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
  /** Most rows that are compared with the filters. */
  readonly most: number;
  /** Most rows whose records are read. */
  readonly wanted: number;
}

/** A row whose columns meet all conditions. If no row does, one row without an event says how many were compared. */
type FoundRow = {
  readonly compared: number;
  /** The last of the rows that were compared; null if there are none. */
  readonly last: number | null;
} & ((ListedRow & { readonly listed: number }) | { readonly listed: null });

/**
 * Reads rows by the index of a column, month by month. The database compares their columns with the filters, and this function the bytes of those
 * that pass. As {@link rowsAt}, the statement is the same for all filters, so the server has its plan. The caller bounds the number of months: the
 * server prepares a scan for each of them.
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
  const statement: Statement<FoundRow> = {
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
      ...columnConditions(conditions).values,
    ],
  };
  const [, , found] = await session.pipeline(
    plannedOnce,
    { text: inOrderOfIndex('off') },
    statement,
    { text: inOrderOfIndex('on') },
    plannedByValues,
  );
  const shown = found.flatMap((row) => (row.listed === null ? [] : [row]));
  const { listed, compared, last } = found[0]!;
  const isCut = shown.length < (listed ?? 0);
  const matches = filterMatcher(conditions.filter(isComparedWithRecord));
  const rest = compared >= most ? (last ?? undefined) : undefined;
  return {
    rows: shown.filter((row) => matches(eventOf(row))),
    compared,
    reached: isCut ? shown.at(-1)!.sequence_number : rest,
  };
}
