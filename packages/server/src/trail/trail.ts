import type { EventFilters } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import type { Access, Database, Session } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { decodePosition, encodePosition, type Position } from './cursor.ts';
import { leavesOutBookkeeping } from './filters.ts';
import { type Order, readPage } from './read-page.ts';
import { type EventRow, toView, type ViewOptions } from './view.ts';

const getEvent = readSql('get-event');
const readHead = readSql('read-head');

/** Which records to list, and in which order. */
export interface ListQuery {
  readonly tenantId: string;
  readonly filters?: EventFilters;
  /** Order by (epoch, sequence_number). @defaultValue 'desc' */
  readonly order?: Order | undefined;
  /** 1 to 1000. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Whether to list the service's bookkeeping where no filter names its type. @defaultValue true */
  readonly includeBookkeeping?: boolean | undefined;
}

/** One page of a list. */
export interface EventPage {
  readonly events: readonly EventView[];
  /** Absent on the last page. */
  readonly nextCursor: string | undefined;
  /** Whether the tenant has a chain. */
  readonly exists: boolean;
  /** Whether bookkeeping was left out that matches the filters. */
  readonly bookkeepingLeftOut: boolean;
}

/** The newest record of a tenant's chain. */
export interface TrailHead extends Position {
  /** Hex. */
  readonly hash: string;
}

export const maxListLimit = 1_000;

/**
 * Reads tenants' trails. Every statement runs with the reader role, in a transaction that names its one tenant. Row-level
 * security hides the rows of other tenants even where a statement lacks the condition.
 */
export class Trail {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * A page of records, by default the newest first. Pages are divided by position, so records that are appended meanwhile
   * do not shift them.
   *
   * @throws {ServerError} `PARAMETER_INVALID` for a limit out of range, or for a cursor of another request
   */
  async list(query: ListQuery, view: ViewOptions): Promise<EventPage> {
    const { tenantId, filters = {}, order = 'desc', limit = 50 } = query;
    if (!Number.isInteger(limit) || limit < 1 || limit > maxListLimit) {
      throw new ServerError('PARAMETER_INVALID', `the limit must be 1 to ${maxListLimit}`, {
        details: { parameter: 'limit' },
      });
    }
    const leaveOutBookkeeping = leavesOutBookkeeping(filters, query.includeBookkeeping ?? true);
    const request = [tenantId, order, filters, ...(leaveOutBookkeeping ? ['without bookkeeping'] : [])];
    const after = query.cursor === undefined ? undefined : decodePosition(query.cursor, request);
    return await this.#database.transaction(readerOf(tenantId), async (session) => {
      const head = await headOf(session, tenantId);
      if (head === undefined)
        return { events: [], nextCursor: undefined, exists: false, bookkeepingLeftOut: false };
      const rows: EventRow[] = [];
      let more = false;
      let bookkeepingLeftOut = false;
      // One epoch at a time: within an epoch an index gives the order, and nearly every chain has one epoch.
      const epochs = await epochsOf(session, tenantId, head.epoch, order);
      const isDue = (epoch: number) =>
        after === undefined || (order === 'desc' ? epoch <= after.epoch : epoch >= after.epoch);
      const due = epochs.filter(isDue);
      let at = 0;
      let bound = after;
      while (at < due.length && rows.length < limit && !more) {
        const epoch = due[at]!;
        const page = await readPage(session, tenantId, {
          filters,
          view,
          order,
          epoch,
          after: bound?.epoch === epoch ? bound : undefined,
          limit: limit - rows.length,
          leaveOutBookkeeping,
        });
        rows.push(...page.rows);
        more = page.more;
        bookkeepingLeftOut ||= page.bookkeepingLeftOut;
        bound = undefined;
        if (!more) at++;
      }
      const last = rows.at(-1);
      more ||= at < due.length;
      return {
        events: rows.map((row) => toView(tenantId, row, view)),
        nextCursor:
          more && last !== undefined
            ? encodePosition(request, { epoch: last.epoch, sequence: last.sequence_number })
            : undefined,
        exists: true,
        bookkeepingLeftOut,
      };
    });
  }

  /**
   * @returns the event, redacted where the reader may not see it
   * @throws {ServerError} `NOT_FOUND`
   */
  async get(tenantId: string, auditId: string, view: ViewOptions): Promise<EventView> {
    return toView(tenantId, await this.getRow(tenantId, auditId, view), view);
  }

  /** The event's row. Errors as {@link get}. */
  async getRow(tenantId: string, auditId: string, view: ViewOptions): Promise<EventRow> {
    const [row] = await this.#database.query<EventRow>(readerOf(tenantId), getEvent, [
      tenantId,
      auditId,
      view.sensitive,
    ]);
    if (row === undefined) throw new ServerError('NOT_FOUND', 'no such event');
    return row;
  }

  /**
   * @param epoch the current one where absent
   * @throws {ServerError} `NOT_FOUND`
   */
  async getBySequence(
    tenantId: string,
    sequence: number,
    view: ViewOptions,
    epoch?: number,
  ): Promise<EventView> {
    const head = await this.head(tenantId);
    const [row] =
      head === undefined
        ? []
        : await this.page(tenantId, {
            epoch: epoch ?? head.epoch,
            from: sequence,
            to: sequence,
            limit: 1,
            view,
          });
    if (row === undefined) throw new ServerError('NOT_FOUND', 'no such event');
    return toView(tenantId, row, view);
  }

  /** The newest record of the tenant's chain, or `undefined` for a tenant without a chain. */
  async head(tenantId: string): Promise<TrailHead | undefined> {
    return await this.#database.transaction(readerOf(tenantId), (session) => headOf(session, tenantId));
  }

  /** Rows of a range of one epoch in chain order, both ends included; at most `limit` rows, and about 8 MiB of records. */
  async page(tenantId: string, range: RowRange): Promise<EventRow[]> {
    return await this.#database.transaction(readerOf(tenantId), async (session) => {
      const { filters = {}, ...rest } = range;
      const { rows } = await readPage(session, tenantId, { ...rest, filters, order: 'asc' });
      return rows;
    });
  }
}

export interface RowRange {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly view: ViewOptions;
  readonly filters?: EventFilters;
  /** As of the page. @defaultValue false */
  readonly leaveOutBookkeeping?: boolean;
}

/** Access of a reader of one tenant. */
export function readerOf(tenantId: string): Access {
  return { role: 'reader', tenants: [tenantId] };
}

async function headOf(session: Session, tenantId: string): Promise<TrailHead | undefined> {
  const [row] = await session.query<{ epoch: number; last_sequence: number; last_hash: string }>(readHead, [
    tenantId,
  ]);
  return row === undefined
    ? undefined
    : { epoch: row.epoch, sequence: row.last_sequence, hash: row.last_hash };
}

const epochsSql = 'select distinct epoch from audit_chain_ranges where tenant_id = $1 and epoch >= 1';

/** The epochs of a chain, in the order of a list. */
async function epochsOf(
  session: Session,
  tenantId: string,
  current: number,
  order: 'asc' | 'desc',
): Promise<number[]> {
  if (current === 1) return [1];
  const rows = await session.query<{ epoch: number }>(epochsSql, [tenantId]);
  return rows.map(({ epoch }) => epoch).sort((a, b) => (order === 'desc' ? b - a : a - b));
}
