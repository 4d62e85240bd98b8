import { type AnyEvent, type FilterCondition, filterMatcher } from '@tallystick/event';
import { plannedByValues, plannedOnce, type Session, type Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { anyTime } from './chain-months.ts';
import { filtersContent } from './filters.ts';
import { type ListedRow, maxPageBytes } from './list-rows.ts';
import type { ScanRequest } from './scan-request.ts';
import { conditionsWithin, eventIn } from './view.ts';

const rowsAtSql = readSql('rows-at');

/** Rows at some positions that meet the filters. */
export interface RowsAt {
  readonly rows: readonly ListedRow[];
  /** The last position that was looked at where a limit left out the others; undefined if it left out none. */
  readonly cutAt: number | undefined;
}

/**
 * Reads the rows at these positions and compares their bytes with the filters. The statement is the same for all filters, so the server has its
 * plan; the conditions of {@link conditionsOf} would need a plan for each request, over all partitions.
 *
 * @param sequences in the order of the page
 * @param most rows whose records are read
 */
export async function rowsAt(
  session: Session,
  tenantId: string,
  { epoch, order, view, filters, search, months }: ScanRequest,
  sequences: readonly number[],
  most: number,
): Promise<RowsAt> {
  const bounds = sequences.map((sequence) => months.between(sequence, sequence));
  const all = months.between(Math.min(...sequences), Math.max(...sequences));
  const conditions = conditionsWithin(filters, view);
  const listsSensitive = view.sensitive || !(search !== undefined || filtersContent(conditions));
  const statement: Statement<ListedRow & { readonly available: number }> = {
    name: 'tally_rows_at',
    text: rowsAtSql,
    values: [
      tenantId,
      epoch,
      sequences,
      bounds.map(({ from }) => from),
      bounds.map(({ to }) => to),
      order === 'desc' ? -1 : 1,
      view.sensitive,
      listsSensitive,
      filters.from ?? anyTime.from,
      filters.to ?? anyTime.to,
      filters.ingested_from ?? anyTime.from,
      filters.ingested_to ?? anyTime.to,
      maxPageBytes,
      all.from,
      all.to,
      most,
    ],
  };
  const [, found] = await session.pipeline(plannedOnce, statement, plannedByValues);
  const isCut = found.length >= most || found.length < (found[0]?.available ?? 0);
  const matches = filterMatcher(conditions.filter(isComparedWithRecord));
  return {
    rows: found.filter((row) => matches(eventOf(row))),
    cutAt: isCut ? found.at(-1)!.sequence_number : undefined,
  };
}

/** Ranges are compared with the columns. */
export function isComparedWithRecord({ parameter }: FilterCondition): boolean {
  return parameter.field.filter?.kind !== 'range';
}

/** Of a record that the reader may not see, only this is known; {@link filtersContent} knows which filters look at more. */
export function eventOf(row: ListedRow): AnyEvent {
  return row.record === null ? { is_sensitive: row.is_sensitive } : (eventIn(row) ?? {});
}
