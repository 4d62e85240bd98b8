import type { EventFilters } from '@tallystick/event';
import type { Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { Position } from './cursor.ts';
import { conditionsOf, filtersContent, onlyBookkeeping, withoutBookkeeping } from './filters.ts';
import type { EventRow, ViewOptions } from './view.ts';

const listSql = readSql('list-events');
const listEvents = {
  asc: listSql.replaceAll('{direction}', 'asc'),
  desc: listSql.replaceAll('{direction}', 'desc'),
};

export type Order = keyof typeof listEvents;

const hasBookkeeping = readSql('has-bookkeeping').replace('{only_bookkeeping}', onlyBookkeeping);

/** Numbers of the first parameter that belongs to a filter, in each statement. */
const firstFilter = 9;
const firstBookkeepingFilter = 5;

const maxSequence = Number.MAX_SAFE_INTEGER;
/** Most bytes of the records on a page. A page has at least one record, of any size. */
const maxPageBytes = 8 * 1024 * 1024;

interface PageRequest {
  readonly filters: EventFilters;
  readonly view: ViewOptions;
  readonly order: Order;
  readonly epoch: number;
  readonly after?: Position | undefined;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Whether the service's bookkeeping is left out. @defaultValue false */
  readonly leaveOutBookkeeping?: boolean;
}

/** Rows of one epoch, and whether there are more. */
export async function readPage(
  session: Session,
  tenantId: string,
  request: PageRequest,
): Promise<{
  readonly rows: EventRow[];
  readonly more: boolean;
  /** Whether the page left bookkeeping out that matches its filters. */
  readonly bookkeepingLeftOut: boolean;
}> {
  const { filters, view, order, epoch, after, limit } = request;
  // Sequence numbers have no gaps, so "after this record" is one more bound of the range.
  let from = Math.max(0, filters.sequence_from ?? 0, request.from ?? 0);
  let to = Math.min(maxSequence, filters.sequence_to ?? maxSequence, request.to ?? maxSequence);
  if (after !== undefined && order === 'asc') from = Math.max(from, after.sequence + 1);
  if (after !== undefined && order === 'desc') to = Math.min(to, after.sequence - 1);
  if (from > to) return { rows: [], more: false, bookkeepingLeftOut: false };
  const conditions = conditionsOf(filters, firstFilter);
  const found = await session.query<EventRow & { readonly available: number }>(
    listEvents[order].replace('{filters}', () =>
      request.leaveOutBookkeeping === true ? `${withoutBookkeeping} ${conditions.sql}` : conditions.sql,
    ),
    [
      tenantId,
      epoch,
      from,
      to,
      // One row more than the page: it shows whether there is another page.
      limit + 1,
      maxPageBytes,
      view.sensitive,
      view.sensitive || !filtersContent(filters),
      ...conditions.values,
    ],
  );
  const rows = found.slice(0, limit);
  const more = (found[0]?.available ?? 0) > rows.length;
  if (request.leaveOutBookkeeping !== true) return { rows, more, bookkeepingLeftOut: false };
  const last = rows.at(-1)?.sequence_number;
  const shown = !more || last === undefined ? [from, to] : order === 'asc' ? [from, last] : [last, to];
  const [left] = await session.query<{ found: boolean }>(
    hasBookkeeping.replace('{filters}', () => conditionsOf(filters, firstBookkeepingFilter).sql),
    [tenantId, epoch, ...shown, ...conditions.values],
  );
  return { rows, more, bookkeepingLeftOut: left?.found === true };
}
