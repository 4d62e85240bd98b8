import {
  type AnyEvent,
  type EventFilters,
  filterMatcher,
  readFilters,
  termBlockRecords,
} from '@tallystick/event';
import { bookkeepingTypes } from '@tallystick/protocol';
import type { Session } from '../store/database.ts';
import { findCandidates, maxBlocks, termGroups } from './field-index.ts';
import { type Conditions, conditionsOf, derivedConditions } from './filters.ts';
import { firstFilter, listRows, maxPageBytes, type Order } from './list-rows.ts';
import type { EventRow, ViewOptions } from './view.ts';

const bookkeeping: ReadonlySet<string> = new Set(bookkeepingTypes);

/** What one request may still read. Owned by the request. */
export interface ScanBudget {
  /** Records whose bytes are compared with the filters. */
  records: number;
  /** Searches of the field index. */
  searches: number;
}

/** How much one request may read to find its page. */
export interface ScanLimits {
  /** @defaultValue 5000 */
  readonly records?: number | undefined;
  /** @defaultValue 64 */
  readonly searches?: number | undefined;
}

export function scanBudget({ records = 5_000, searches = 64 }: ScanLimits = {}): ScanBudget {
  return { records, searches };
}

export function isSpent({ records, searches }: ScanBudget): boolean {
  return records <= 0 || searches <= 0;
}

export interface ScanRequest {
  readonly filters: EventFilters;
  readonly view: ViewOptions;
  readonly order: Order;
  readonly epoch: number;
  /** Sequence numbers, both ends included. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly leaveOutReads: boolean;
}

export interface ScannedPage {
  readonly rows: EventRow[];
  readonly more: boolean;
  readonly readsLeftOut: boolean;
  /** The last position that was looked at, where the budget ended the page. */
  readonly cutAt?: number;
  /** The last record of the epoch that the field index has; absent if the index can't answer any of the filters. */
  readonly indexedTo?: number;
}

/** Records that are read from the chain at a time. */
const walkedRecords = 500;

/**
 * A page for filters on fields that no column holds. The field index finds candidates, and the bytes of each are compared with the
 * filters. What the index does not have yet is read from the chain, so the page has what was written a moment ago.
 *
 * Candidates and the reach of the index are of one snapshot, and each further search looks at the reach again. So a rebuild of the index,
 * which may swap or clear it between two searches, hides no record.
 */
export async function scanPage(
  session: Session,
  tenantId: string,
  request: ScanRequest,
  budget: ScanBudget,
): Promise<ScannedPage> {
  const { epoch, order, from, limit } = request;
  const newestFirst = order === 'desc';
  const groups = termGroups(readFilters(request.filters));
  const page = new FilteredPage(request, budget);
  let low = from;
  let high = Math.min(request.to, await endOfEpoch(session, tenantId, epoch));
  let indexedTo = groups.length === 0 ? -1 : undefined;
  let blocks = 1;
  const advance = (to: number) => {
    if (newestFirst) high = to - 1;
    else low = to + 1;
  };
  const read = async (first: number, last: number, limit: number, only?: readonly number[]) => {
    const { rows, available } = await listRows(session, tenantId, {
      ...request,
      from: first,
      to: last,
      limit,
      conditions: conditionsFor(request.filters, only),
      looksAtContent: true,
    });
    const taken = page.take(rows);
    return { last: rows[taken - 1]?.sequence_number, whole: taken === available && available < limit };
  };

  while (low <= high && !page.isFull && !isSpent(budget)) {
    const next = newestFirst ? high : low;
    if (groups.length > 0 && (indexedTo === undefined || next <= indexedTo)) {
      const span = blocks * termBlockRecords;
      const block = Math.floor(next / termBlockRecords) * termBlockRecords;
      const first = newestFirst ? Math.max(low, block + termBlockRecords - span) : low;
      const last = newestFirst ? high : Math.min(high, block + span - 1);
      const most = Math.max(64, Math.min(1_024, limit + 1));
      budget.searches--;
      const found = await findCandidates(session, tenantId, groups, {
        epoch,
        first,
        last,
        newestFirst,
        most,
      });
      indexedTo = found.indexedTo;
      // The index does not reach this place: the chain is read down to where it does.
      if (next > indexedTo) continue;
      const { sequences } = found;
      const end = newestFirst ? first : Math.min(last, indexedTo);
      if (sequences.length === 0) advance(end);
      else {
        const bounds = [Math.min(...sequences), Math.max(...sequences)] as const;
        // One more than there are: then all that are there have been read.
        const part = await read(...bounds, sequences.length + 1, sequences);
        if (!part.whole) advance(part.last!);
        else advance(sequences.length < most ? end : sequences.at(-1)!);
      }
      blocks = Math.min(maxBlocks(groups), blocks * 4);
    } else {
      const first = newestFirst ? Math.max(low, (indexedTo ?? -1) + 1) : low;
      const part = await read(first, high, Math.min(walkedRecords, budget.records));
      advance(part.whole ? (newestFirst ? first : high) : part.last!);
    }
  }
  const isCut = low <= high && !page.isFull;
  return {
    ...page.result(low <= high),
    ...(isCut && { cutAt: newestFirst ? high + 1 : low - 1 }),
    ...(groups.length > 0 && { indexedTo: indexedTo ?? -1 }),
  };
}

function conditionsFor(filters: EventFilters, only: readonly number[] | undefined): Conditions {
  const { sql, values } = conditionsOf(filters, firstFilter);
  if (only === undefined) return { sql, values };
  return {
    sql: `${sql} and r.sequence_number = any ($${firstFilter + values.length}::bigint[])`,
    values: [...values, only],
  };
}

/** The rows of a page that match all filters. */
class FilteredPage {
  readonly #request: ScanRequest;
  readonly #budget: ScanBudget;
  readonly #matches: (event: AnyEvent) => boolean;
  /** One more than the page has room for shows that there is another page. */
  readonly #rows: EventRow[] = [];
  #bytes = 0;
  #readsLeftOut = false;
  /** Whether a record of a read comes after the last row that the page has room for. */
  #readsAfter = false;

  constructor(request: ScanRequest, budget: ScanBudget) {
    this.#request = request;
    this.#budget = budget;
    this.#matches = filterMatcher(derivedConditions(request.filters));
  }

  get isFull(): boolean {
    return this.#rows.length > this.#request.limit || this.#bytes >= maxPageBytes;
  }

  /** Looks at rows until the page is full. Returns how many it has looked at. */
  take(rows: readonly EventRow[]): number {
    const { limit, leaveOutReads } = this.#request;
    for (const [at, row] of rows.entries()) {
      if (this.isFull) return at;
      this.#budget.records--;
      const event = this.#visibleEvent(row);
      if (event === undefined || !this.#matches(event)) continue;
      if (leaveOutReads && bookkeeping.has(String(event.event_type))) {
        if (this.#rows.length < limit) this.#readsLeftOut = true;
        else this.#readsAfter = true;
        continue;
      }
      this.#rows.push(row);
      this.#bytes += row.record!.length;
    }
    return rows.length;
  }

  /** @param moreToRead whether the range was not read to its end */
  result(moreToRead: boolean): Pick<ScannedPage, 'rows' | 'more' | 'readsLeftOut'> {
    const rows = this.#rows.slice(0, this.#request.limit);
    const more = this.#rows.length > rows.length || (this.isFull && moreToRead);
    return { rows, more, readsLeftOut: this.#readsLeftOut || (!more && this.#readsAfter) };
  }

  /**
   * Nothing if the reader may not see it: a changed column must not disclose it. Bytes that are no record match no filter. They are not
   * checked strictly here, which would take longer than to compare them: what is shown is.
   */
  #visibleEvent({ record }: EventRow): AnyEvent | undefined {
    if (record === null) return undefined;
    try {
      const { event } = JSON.parse(record) as { readonly event?: AnyEvent };
      const isVisible = event?.is_sensitive !== true || this.#request.view.sensitive;
      return typeof event === 'object' && event !== null && isVisible ? event : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The last sequence number of an epoch; -1 if the chain does not have it. */
async function endOfEpoch(session: Session, tenantId: string, epoch: number): Promise<number> {
  const [row] = await session.query<{ last_sequence: number | null }>(
    'select min(last_sequence) as last_sequence from audit_chain_ranges where tenant_id = $1 and epoch = $2::integer',
    [tenantId, epoch],
  );
  return row?.last_sequence ?? -1;
}
