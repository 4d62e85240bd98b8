import { type AnyEvent, filterMatcher, readFilters } from '@tallystick/event';
import { searchMatcher } from '@tallystick/event/search';
import { bookkeepingTypes } from '@tallystick/protocol';
import { derivedConditions, filtersContent } from './filters.ts';
import { type ListedRow, maxPageBytes } from './list-rows.ts';
import type { ScanBudget } from './scan-budget.ts';
import type { ScanRequest } from './scan-request.ts';
import { conditionsWithin, type EventRow, eventIn } from './view.ts';

const bookkeeping: ReadonlySet<string> = new Set(bookkeepingTypes);

/** Records whose bytes are compared with the filters at a time. */
const comparedRecords = 500;

/** What a page consists of. */
type PageRequest = Pick<ScanRequest, 'filters' | 'search' | 'view' | 'limit' | 'leaveOutReads'>;

/** The rows of a page: those that match all filters. */
export class FilteredPage {
  readonly #request: PageRequest;
  readonly #budget: ScanBudget;
  /** Absent where columns answer all filters, and the reader may see every row that they find. */
  readonly #matches: ((event: AnyEvent) => boolean) | undefined;
  /** One more than the page has room for shows that there is another page. */
  readonly #rows: EventRow[] = [];
  #bytes = 0;
  #readsLeftOut = false;
  /** Whether a record of a read comes after the last row that the page has room for. */
  #readsAfter = false;

  constructor(request: PageRequest, budget: ScanBudget) {
    this.#request = request;
    this.#budget = budget;
    const { filters, search, view } = request;
    const derived = derivedConditions(readFilters(filters));
    const within = readFilters(view.within ?? {});
    const isShownInPart = !view.sensitive && filtersContent(conditionsWithin(filters, view));
    const looksAtBytes = derived.length > 0 || within.length > 0 || isShownInPart;
    // Bytes decide what a reader of a part of the trail gets, also where a column has answered the condition.
    const passesFilters = filterMatcher([...derived, ...within]);
    if (search !== undefined) {
      const isFound = searchMatcher(search);
      this.#matches = (event) => passesFilters(event) && isFound(event);
    } else this.#matches = looksAtBytes ? passesFilters : undefined;
  }

  get isFull(): boolean {
    return this.#rows.length > this.#request.limit || this.#bytes >= maxPageBytes;
  }

  /** How many rows to read next. */
  get wanted(): number {
    const { limit } = this.#request;
    const most = this.#matches === undefined ? limit + 1 - this.#rows.length : comparedRecords;
    return Math.max(1, Math.min(most, this.#budget.records));
  }

  /** Looks at rows until the page is full, or the budget for their bytes is spent. Returns how many it has looked at, one at least. */
  take(rows: readonly ListedRow[]): number {
    const { limit, leaveOutReads } = this.#request;
    for (const [at, row] of rows.entries()) {
      if (this.isFull || (at > 0 && this.#budget.characters <= 0)) return at;
      this.#budget.records--;
      this.#budget.characters -= row.record?.length ?? 0;
      if (this.#matches !== undefined && !this.#isMatch(row, this.#matches)) continue;
      if (leaveOutReads && bookkeeping.has(row.event_type)) {
        if (this.#rows.length < limit) this.#readsLeftOut = true;
        else this.#readsAfter = true;
        continue;
      }
      this.#rows.push(row);
      this.#bytes += row.record?.length ?? 0;
    }
    return rows.length;
  }

  /** @param moreToRead whether the range was not read to its end */
  result(moreToRead: boolean): {
    readonly rows: EventRow[];
    readonly more: boolean;
    readonly readsLeftOut: boolean;
  } {
    const rows = this.#rows.slice(0, this.#request.limit);
    const more = this.#rows.length > rows.length || (this.isFull && moreToRead);
    return { rows, more, readsLeftOut: this.#readsLeftOut || (!more && this.#readsAfter) };
  }

  /**
   * No match if the reader may not see it: a changed column must not disclose it. Bytes that are no record match no filter. They are not
   * checked strictly here, which would take longer than to compare them: what is shown is.
   */
  #isMatch(row: EventRow, matches: (event: AnyEvent) => boolean): boolean {
    const event = eventIn(row);
    if (event === undefined) return false;
    const isVisible = event.is_sensitive !== true || this.#request.view.sensitive;
    return isVisible && matches(event);
  }
}
