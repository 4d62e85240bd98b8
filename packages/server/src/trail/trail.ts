import type { EventFilters } from '@tallystick/event';
import type { SearchQuery } from '@tallystick/event/search';
import type { EventView } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import type { Access, Database, Session, Statement } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { KnownMonths } from './chain-months.ts';
import { decodePosition, encodePosition, type Position } from './cursor.ts';
import { leavesOutReads } from './filters.ts';
import type { Order } from './list-rows.ts';
import { newestPage } from './newest-page.ts';
import { readPage } from './read-page.ts';
import { readSearch } from './read-search.ts';
import { isSpent, type ScanLimits, scanBudget } from './scan-budget.ts';
import { conditionsWithin, type EventRow, isWithin, toView, type ViewOptions } from './view.ts';

const getEvent = readSql('get-event');
const readHead = readSql('read-head');

/** Which records to list, and in which order. */
export interface ListQuery {
  readonly tenantId: string;
  readonly filters?: EventFilters;
  /** What the texts of the events must have: a search (docs/finding.md). */
  readonly q?: string | undefined;
  /** Order by (epoch, sequence_number). @defaultValue 'desc' */
  readonly order?: Order | undefined;
  /** 1 to 1000. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Begin after this position. Not together with a cursor. */
  readonly after?: Position | undefined;
  /** Whether to list records of reads where no filter names their type. @defaultValue true */
  readonly includeReads?: boolean | undefined;
}

/** One page of a list. */
export interface EventPage extends Omit<RowsPage, 'rows'> {
  readonly events: readonly EventView[];
}

/** The rows of one page of a list. */
export interface RowsPage {
  readonly rows: readonly EventRow[];
  /** Absent on the last page. */
  readonly nextCursor: string | undefined;
  /** Whether the tenant has a chain. */
  readonly exists: boolean;
  /** Whether records of reads were left out that match the filters. */
  readonly readsLeftOut: boolean;
  /** Whether the budget of the request ended the page: the next page goes on where the search stopped, and may find more. */
  readonly isCut: boolean;
  /** The last record of the newest epoch that the field index has, where such a page depends on it; -1: none. */
  readonly indexedTo: number | undefined;
}

/** Rows of a part of a chain. */
export interface RowsPart {
  readonly rows: EventRow[];
  /** The last position that was looked at, where the budget of the request ended the search. */
  readonly cutAt: number | undefined;
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
  readonly #limits: ScanLimits | undefined;
  readonly #months = new KnownMonths();

  /** @param limits how much one request may read to find its page */
  constructor(database: Database, limits?: ScanLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /**
   * A page of records, by default the newest first. Pages are divided by position, so records that are appended meanwhile
   * do not shift them.
   *
   * @throws {ServerError} `PARAMETER_INVALID` for a limit out of range, a text that is no search, or a cursor of another request
   */
  async list(query: ListQuery, view: ViewOptions): Promise<EventPage> {
    const { rows, ...page } = await this.rows(query, view);
    return { ...page, events: rows.map((row) => toView(query.tenantId, row, view)) };
  }

  /** As {@link list}, the rows of the events. */
  async rows(query: ListQuery, view: ViewOptions): Promise<RowsPage> {
    const { tenantId, filters = {}, order = 'desc', limit = 50 } = query;
    if (!Number.isInteger(limit) || limit < 1 || limit > maxListLimit) {
      throw new ServerError('PARAMETER_INVALID', `the limit must be 1 to ${maxListLimit}`, {
        details: { parameter: 'limit' },
      });
    }
    const leaveOutReads = leavesOutReads(filters, query.includeReads ?? true);
    const search = query.q === undefined ? undefined : readSearch(query.q);
    const request = [
      tenantId,
      order,
      filters,
      ...(leaveOutReads ? ['without reads'] : []),
      ...(query.q === undefined ? [] : [{ q: query.q }]),
      ...(view.within === undefined ? [] : [{ within: view.within }]),
    ];
    const after = query.cursor === undefined ? query.after : decodePosition(query.cursor, request);
    if (order === 'desc' && search === undefined && conditionsWithin(filters, view).length === 0) {
      const plain = { tenantId, after, limit, leaveOutReads, view, budget: scanBudget(this.#limits) };
      const page = await newestPage(this.#database, readerOf(tenantId), this.#months, plain);
      if (page !== undefined) {
        const next = page.more ? encodePosition(request, positionOf(page.rows.at(-1)!)) : undefined;
        const { rows, readsLeftOut } = page;
        return { ...noPage, exists: true, rows, readsLeftOut, nextCursor: next };
      }
    }
    const budget = scanBudget(this.#limits);
    return await this.#database.transaction(readerOf(tenantId), async (session) => {
      const head = await headOf(session, tenantId);
      if (head === undefined) return noPage;
      const rows: EventRow[] = [];
      /** Where the next page begins; undefined as long as this one may go on. */
      let next: Position | undefined;
      let isCut = false;
      let readsLeftOut = false;
      let indexedTo: number | undefined;
      // One epoch at a time: within an epoch an index gives the order, and nearly every chain has one epoch.
      const epochs = await epochsOf(session, tenantId, head.epoch, order);
      const isDue = (epoch: number) =>
        after === undefined || (order === 'desc' ? epoch <= after.epoch : epoch >= after.epoch);
      const due = epochs.filter(isDue);
      for (const [at, epoch] of due.entries()) {
        const page = await readPage(session, tenantId, {
          filters,
          search,
          view,
          order,
          epoch,
          endOfEpoch: epoch === head.epoch ? head.endOfEpoch : undefined,
          months: await this.#months.of(session, tenantId, epoch),
          after: after?.epoch === epoch ? after : undefined,
          limit: limit - rows.length,
          leaveOutReads,
          budget,
        });
        rows.push(...page.rows);
        readsLeftOut ||= page.readsLeftOut;
        if (epoch === head.epoch) indexedTo = page.indexedTo;
        const isLast = at === due.length - 1;
        if (page.cutAt !== undefined) next = { epoch, sequence: page.cutAt };
        else if (page.more) next = positionOf(rows.at(-1)!);
        else if (!isLast && (rows.length >= limit || isSpent(budget))) next = endOf(epoch, order);
        if (next === undefined) continue;
        isCut = !page.more && rows.length < limit;
        break;
      }
      return {
        rows,
        nextCursor: next === undefined ? undefined : encodePosition(request, next),
        exists: true,
        readsLeftOut,
        isCut,
        indexedTo: isCut && indexedTo !== undefined && indexedTo < head.sequence ? indexedTo : undefined,
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
    if (row === undefined || !isWithin(row, view)) throw new ServerError('NOT_FOUND', 'no such event');
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
    const head = await this.#database.transaction(readerOf(tenantId), (session) => headOf(session, tenantId));
    if (head === undefined) return undefined;
    const { epoch, sequence, hash } = head;
    return { epoch, sequence, hash };
  }

  /** Rows of a range of one epoch in chain order, both ends included; at most `limit` rows, and about 8 MiB of records. */
  async page(tenantId: string, range: Omit<RowRange, 'filters' | 'search'>): Promise<EventRow[]> {
    return (await this.part(tenantId, range)).rows;
  }

  /** As {@link page}, for filters and a search: it may have to stop before the end of the range with fewer rows than `limit`. */
  async part(tenantId: string, range: RowRange): Promise<RowsPart> {
    const budget = scanBudget(this.#limits);
    return await this.#database.transaction(readerOf(tenantId), async (session) => {
      const { filters = {}, ...rest } = range;
      const months = await this.#months.of(session, tenantId, range.epoch);
      const request = { ...rest, months, filters, order: 'asc', budget } as const;
      const { rows, cutAt } = await readPage(session, tenantId, request);
      return { rows, cutAt };
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
  readonly search?: SearchQuery | undefined;
  /** As of the page. @defaultValue false */
  readonly leaveOutReads?: boolean;
}

/** Access of a reader of one tenant. */
export function readerOf(tenantId: string): Access {
  return { role: 'reader', tenants: [tenantId] };
}

const noPage: RowsPage = {
  rows: [],
  nextCursor: undefined,
  exists: false,
  readsLeftOut: false,
  isCut: false,
  indexedTo: undefined,
};

function positionOf({ epoch, sequence_number }: EventRow): Position {
  return { epoch, sequence: sequence_number };
}

/** The position after which a list has nothing of an epoch. */
function endOf(epoch: number, order: Order): Position {
  return { epoch, sequence: order === 'desc' ? 0 : Number.MAX_SAFE_INTEGER };
}

/** The head of a chain, and the last sequence number of its epoch. */
interface KnownHead extends TrailHead {
  readonly endOfEpoch: number;
}

async function headOf(session: Session, tenantId: string): Promise<KnownHead | undefined> {
  const statement: Statement<HeadRow> = { name: 'tally_read_head', text: readHead, values: [tenantId] };
  const [[row]] = await session.pipeline(statement);
  if (row === undefined) return undefined;
  const { epoch, last_sequence: sequence, last_hash: hash, end_of_epoch: endOfEpoch } = row;
  return { epoch, sequence, hash, endOfEpoch };
}

interface HeadRow {
  readonly epoch: number;
  readonly last_sequence: number;
  readonly last_hash: string;
  readonly end_of_epoch: number;
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
