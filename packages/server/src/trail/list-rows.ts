import type { FilterCondition } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { ChainedBetween } from './chain-months.ts';
import { conditionsOf } from './filters.ts';
import type { EventRow, ViewOptions } from './view.ts';

const listSql = readSql('list-events');
const listEvents = {
  asc: listSql.replaceAll('{direction}', 'asc'),
  desc: listSql.replaceAll('{direction}', 'desc'),
};

export type Order = keyof typeof listEvents;

/** Number of the first parameter that belongs to a condition in list-events.sql. */
const firstFilter = 11;

/** Most bytes of the records on a page. A page has at least one record, of any size. */
export const maxPageBytes = 8 * 1024 * 1024;

/** A row of list-events.sql. */
export type ListedRow = EventRow & { readonly event_type: string };

/** Rows of one epoch, between two sequence numbers. Both ends are included. */
export interface RowsRequest {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly order: Order;
  readonly limit: number;
  /** When the records between `from` and `to` were chained. */
  readonly chained: ChainedBetween;
  readonly view: ViewOptions;
  readonly conditions: readonly FilterCondition[];
  /** Whether a condition, here or in the caller, looks at the content of events. */
  readonly looksAtContent: boolean;
}

/** Reads rows by conditions on columns. `available` counts those that the limit of rows admits; the limit of bytes may admit fewer. */
export async function listRows(
  session: Session,
  tenantId: string,
  { epoch, from, to, order, limit, chained, view, conditions: demanded, looksAtContent }: RowsRequest,
): Promise<{ readonly rows: ListedRow[]; readonly available: number }> {
  const conditions = conditionsOf(demanded, firstFilter);
  const text = listEvents[order].replace('{filters}', () => conditions.sql);
  const values = [
    tenantId,
    epoch,
    from,
    to,
    limit,
    maxPageBytes,
    view.sensitive,
    view.sensitive || !looksAtContent,
    chained.from,
    chained.to,
    ...conditions.values,
  ];
  const rows = await session.query<ListedRow & { readonly available: number }>(text, values);
  return { rows, available: rows[0]?.available ?? 0 };
}
