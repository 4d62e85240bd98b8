import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { Conditions } from './filters.ts';
import type { EventRow, ViewOptions } from './view.ts';

const listSql = readSql('list-events');
const listEvents = {
  asc: listSql.replaceAll('{direction}', 'asc'),
  desc: listSql.replaceAll('{direction}', 'desc'),
};

export type Order = keyof typeof listEvents;

/** Number of the first parameter that belongs to a filter in list-events.sql. */
export const firstFilter = 9;

/** Most bytes of the records on a page. A page has at least one record, of any size. */
export const maxPageBytes = 8 * 1024 * 1024;

/** Rows of one epoch, between two sequence numbers. Both ends are included. */
export interface RowsRequest {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly order: Order;
  readonly limit: number;
  readonly view: ViewOptions;
  /** With parameters from {@link firstFilter} on. */
  readonly conditions: Conditions;
  /** Whether a condition, here or in the caller, looks at the content of events. */
  readonly looksAtContent: boolean;
}

/** Reads rows by conditions on columns. `available` counts those that the limit of rows admits; the limit of bytes may admit fewer. */
export async function listRows(
  session: Session,
  tenantId: string,
  { epoch, from, to, order, limit, view, conditions, looksAtContent }: RowsRequest,
): Promise<{ readonly rows: EventRow[]; readonly available: number }> {
  const rows = await session.query<EventRow & { readonly available: number }>(
    listEvents[order].replace('{filters}', () => conditions.sql),
    [
      tenantId,
      epoch,
      from,
      to,
      limit,
      maxPageBytes,
      view.sensitive,
      view.sensitive || !looksAtContent,
      ...conditions.values,
    ],
  );
  return { rows, available: rows[0]?.available ?? 0 };
}
