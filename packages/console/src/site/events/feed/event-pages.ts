import type { EventPage, EventView } from '@tallystick/protocol';

/** The events between two cursors. */
interface ListedPage {
  /** Where the page begins; absent for the newest one. */
  readonly cursor: string | undefined;
  /** Index of its first event in the list. */
  readonly start: number;
  /** How many events it has, also while they are not kept. */
  readonly count: number;
  readonly events: readonly EventView[] | undefined;
}

/** How many pages are kept before and after those in view. The others are read again by their cursors when they come into view. */
const keptAround = 10;

/**
 * The pages of a list that was read by cursor. It knows where each page begins, and keeps the events of the first one and of those around
 * the view alone, so that its memory does not grow with the list: after 100,000 events the page's heap had grown by 85 MB with all events kept,
 * and by 3 MB with this (`npm run bench -- console`).
 */
export class EventPages {
  #pages: ListedPage[] = [];
  #nextCursor: string | undefined;

  /** Events of all pages. */
  get count(): number {
    const last = this.#pages.at(-1);
    return last === undefined ? 0 : last.start + last.count;
  }
  /** Where the next page begins; absent before the first page and after the last one. */
  get nextCursor(): string | undefined {
    return this.#nextCursor;
  }

  /** Adds the page that was read from `nextCursor`. */
  append({ events, next_cursor }: EventPage): void {
    this.#pages.push({ cursor: this.#nextCursor, start: this.count, count: events.length, events });
    this.#nextCursor = next_cursor;
  }

  /** Undefined beyond the end, and where the event is not kept. */
  at(index: number): EventView | undefined {
    const page = this.#pages[this.#pageAt(index)];
    return page?.events?.[index - page.start];
  }

  /** A page that has to be read again to show a range. */
  missingIn(
    first: number,
    last: number,
  ): { readonly cursor: string | undefined; readonly start: number } | undefined {
    const [from, to] = [this.#pageAt(first), this.#pageAt(last)];
    return this.#pages.slice(Math.max(from, 0), to + 1).find(({ events }) => events === undefined);
  }

  /**
   * Keeps the events of a page that was read again.
   *
   * @param start of the page. Cursors come from the service, and might be the same for two pages
   * @returns whether the page has as many events as before. If not, the pages after it are forgotten, because their places are wrong
   */
  restore(start: number, { events, next_cursor }: EventPage): boolean {
    const at = this.#pages.findIndex((page) => page.start === start && page.events === undefined);
    const page = this.#pages[at];
    if (page === undefined) return true;
    const isSame = page.count === events.length;
    this.#pages[at] = { ...page, count: events.length, events };
    if (isSame) return true;
    this.#pages = this.#pages.slice(0, at + 1);
    this.#nextCursor = next_cursor;
    return false;
  }

  /** Forgets the events of pages that are far from a range. */
  keepAround(first: number, last: number): void {
    const [from, to] = [this.#pageAt(first) - keptAround, this.#pageAt(last) + keptAround];
    for (const [at, page] of this.#pages.entries())
      if (at > 0 && (at < from || at > to) && page.events !== undefined)
        this.#pages[at] = { ...page, events: undefined };
  }

  /** Index of an event among those that are kept; -1 if it is not there. */
  indexOf(auditId: string): number {
    for (const { start, events } of this.#pages) {
      const at = events?.findIndex((event) => event.audit_id === auditId) ?? -1;
      if (at >= 0) return start + at;
    }
    return -1;
  }

  /** The last page that begins at the index or before it. */
  #pageAt(index: number): number {
    let [low, high] = [0, this.#pages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pages[middle]!.start <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
