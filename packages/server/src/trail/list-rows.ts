import type { FilterCondition } from '@tallystick/event';
import type { Session, Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { ChainedBetween } from './chain-months.ts';
import { type Conditions, conditionsOf } from './filters.ts';
import { inOrderOfIndex } from './index-order.ts';
import type { EventRow, ViewOptions } from './view.ts';

const listSql = readSql('list-events');
const scanEndSql = readSql('scan-end');
const listEvents = {
  asc: listSql.replaceAll('{direction}', 'asc'),
  desc: listSql.replaceAll('{direction}', 'desc'),
};

export type Order = keyof typeof listEvents;

/** Number of the first parameter that belongs to a condition in list-events.sql. */
const firstFilter = 12;

/** Most bytes of the records on a page. A page has at least one record, of any size. */
export const maxPageBytes = 8 * 1024 * 1024;

/** A row of list-events.sql. */
export type ListedRow = EventRow & { readonly event_type: string };

/** Which rows of a range are compared with the filters. */
export type Among =
  /** All. The range bounds their number. */
  | { readonly kind: 'range' }
  /** The first rows that have a value in a column whose index is in the order of the chain. */
  | {
      readonly kind: 'column';
      readonly column: OrderedColumn;
      readonly value: string;
      readonly most: number;
    };

/** Columns with an index that ends in the sequence number. */
export const orderedColumns = [
  'event_type',
  'actor_id',
  'target_id',
  'investigation_id',
  'correlation_id',
] as const;
export type OrderedColumn = (typeof orderedColumns)[number];

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
  readonly among: Among;
  readonly conditions: readonly FilterCondition[];
  /** Whether a condition, here or in the caller, looks at the content of events. */
  readonly looksAtContent: boolean;
}

/** Reads rows by conditions on columns. `available` counts those that the limit of rows admits; the limit of bytes may admit fewer. */
export async function listRows(
  session: Session,
  tenantId: string,
  { epoch, from, to, order, limit, chained, view, among, conditions: demanded, looksAtContent }: RowsRequest,
): Promise<{ readonly rows: ListedRow[]; readonly available: number }> {
  const source = sourceOf(among);
  const conditions = conditionsOf(demanded, firstFilter + source.values.length);
  const text = listEvents[order]
    .replace('{epoch}', () => source.epoch)
    .replace('{among}', () => source.sql)
    .replace('{filters}', () => conditions.sql);
  const values = [
    tenantId,
    epoch,
    from,
    to,
    limit,
    maxPageBytes,
    view.sensitive,
    view.sensitive || !looksAtContent,
    among.kind === 'column' ? among.most : maxInteger,
    chained.from,
    chained.to,
    ...source.values,
    ...conditions.values,
  ];
  const statement: Statement<ListedRow & { readonly available: number }> = { text, values };
  const rows =
    among.kind === 'column'
      ? await readInOrder(session, statement)
      : await session.query<ListedRow & { readonly available: number }>(text, values);
  return { rows, available: rows[0]?.available ?? 0 };
}

const maxInteger = 0x7fffffff;

function sourceOf(among: Among): Conditions & { readonly epoch: string } {
  switch (among.kind) {
    case 'range':
      return { epoch: 'd.epoch = $2::integer', sql: '', values: [] };
    case 'column':
      return {
        // Keeps the planner from the index of all records, in which it would look for the value one by one.
        epoch: 'd.epoch + 0 = $2::integer',
        sql: `and d."${among.column}" = $${firstFilter}::text`,
        values: [among.value],
      };
  }
}

/**
 * How many rows {@link listRows} has compared for a column, and the last of them. Absent: all that there are in the range.
 */
export async function scanEnd(
  session: Session,
  tenantId: string,
  {
    epoch,
    from,
    to,
    order,
    chained,
    column,
    value,
    most,
  }: Omit<RowsRequest, 'limit' | 'view' | 'among' | 'conditions' | 'looksAtContent'> &
    Omit<Extract<Among, { kind: 'column' }>, 'kind'>,
): Promise<{ readonly rows: number; readonly reached: number | undefined }> {
  const text = scanEndSql
    .replace('{last}', order === 'desc' ? 'min' : 'max')
    .replace('{column}', column)
    .replace('{direction}', order);
  const values = [tenantId, epoch, from, to, value, most, chained.from, chained.to];
  const statement: Statement<{ readonly reached: number | null; readonly rows: number }> = { text, values };
  const [row] = await readInOrder(session, statement);
  return { rows: row?.rows ?? 0, reached: row?.reached ?? undefined };
}

/** Reads by an index in its order, so that a limit in the statement bounds what is read. */
async function readInOrder<R extends object>(session: Session, statement: Statement<R>): Promise<R[]> {
  const [, rows] = await session.pipeline({ text: inOrderOfIndex('off') }, statement, {
    text: inOrderOfIndex('on'),
  });
  return rows;
}
