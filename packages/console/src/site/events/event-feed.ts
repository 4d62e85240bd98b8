import { batch, type ReadonlySignal, signal } from '@preact/signals';
import type { Client, EventQuery } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';

/** What the list shows below its events. */
export type FeedEnd = 'loading' | 'more' | 'end' | 'failed';

/** Events per request. */
const pageSize = 100;
/** How many new events wait for the reader. Of more, only the newest are kept, and the rest are counted. */
const maxWaiting = 2_000;

/**
 * The events that match a query, the newest first: older ones page by page when they are wanted, and in live mode the new ones as they
 * are chained. All state of the list is here and belongs to this object.
 */
export class EventFeed {
  readonly #client: Client;
  readonly #query: EventQuery;
  readonly #closing = new AbortController();
  #cursor: string | undefined;
  #known = new Set<string>();
  #following: AbortController | undefined;

  readonly #events = signal<readonly EventView[]>([]);
  readonly #end = signal<FeedEnd>('more');
  readonly #error = signal<unknown>(undefined);
  readonly #waiting = signal<readonly EventView[]>([]);
  readonly #leftOut = signal(0);
  readonly #searchedTo = signal<boolean>(true);

  constructor(client: Client, query: EventQuery) {
    this.#client = client;
    this.#query = query;
  }

  get events(): ReadonlySignal<readonly EventView[]> {
    return this.#events;
  }
  get end(): ReadonlySignal<FeedEnd> {
    return this.#end;
  }
  /** Why the last page, or live mode, failed. */
  get error(): ReadonlySignal<unknown> {
    return this.#error;
  }
  /** New events that are not in the list yet, the newest first. */
  get waiting(): ReadonlySignal<readonly EventView[]> {
    return this.#waiting;
  }
  /** How many new events the page dropped because too many came at once. They are in the trail, and a reload lists them. */
  get leftOut(): ReadonlySignal<number> {
    return this.#leftOut;
  }
  /** False where the last request reached the end of its budget, so that there may be more between the events. */
  get isSearched(): ReadonlySignal<boolean> {
    return this.#searchedTo;
  }

  /** Loads the next page. While one is loading, and at the end, it does nothing. */
  async loadMore(): Promise<void> {
    if (this.#end.value === 'loading' || this.#end.value === 'end') return;
    this.#end.value = 'loading';
    const { signal } = this.#closing;
    try {
      const page = await this.#client.events.list(
        { ...this.#query, limit: pageSize, cursor: this.#cursor },
        { signal },
      );
      this.#cursor = page.next_cursor;
      batch(() => {
        this.#events.value = [...this.#events.value, ...this.#unknown(page.events)];
        this.#error.value = undefined;
        this.#searchedTo.value = page.complete !== false;
        this.#end.value = page.next_cursor === undefined ? 'end' : 'more';
      });
    } catch (error) {
      if (signal.aborted) return;
      batch(() => {
        this.#error.value = error;
        this.#end.value = 'failed';
      });
    }
  }

  /** Begins to collect new events in `waiting`, from the newest one of the list on. */
  async follow(): Promise<void> {
    if (this.#following !== undefined) return;
    const following = new AbortController();
    this.#following = following;
    const signal = AbortSignal.any([following.signal, this.#closing.signal]);
    const { order: _, include: __, filters = {}, ...query } = this.#query;
    // A stream takes no times. Events of the future have no upper end; those from before the range are left out here.
    const { from, to: ___, ...open } = filters as { from?: unknown; to?: unknown };
    const since = typeof from === 'string' ? Date.parse(from) : Number.NEGATIVE_INFINITY;
    this.#error.value = undefined;
    try {
      const followed = { ...query, filters: open, ...this.#afterNewest() };
      for await (const { event } of this.#client.events.follow(followed, { signal }))
        if (!(Date.parse(String(event.timestamp)) < since)) this.#receive(event);
    } catch (error) {
      if (!signal.aborted) this.#error.value = error;
    } finally {
      if (this.#following === following) this.#following = undefined;
    }
  }

  /** Ends live mode. What has come stays. */
  stopFollowing(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  /** Moves the waiting events into the list. */
  showWaiting(): void {
    batch(() => {
      this.#events.value = [...this.#waiting.value, ...this.#events.value];
      this.#waiting.value = [];
    });
  }

  /** Ends all requests. The feed is not used afterwards. */
  close(): void {
    this.#closing.abort();
  }

  #receive(event: EventView): void {
    const [fresh] = this.#unknown([event]);
    if (fresh === undefined) return;
    const waiting = [fresh, ...this.#waiting.value];
    batch(() => {
      this.#leftOut.value += Math.max(0, waiting.length - maxWaiting);
      this.#waiting.value = waiting.slice(0, maxWaiting);
    });
  }

  /** The list and the stream overlap, so an event may come twice. */
  #unknown(events: readonly EventView[]): readonly EventView[] {
    return events.filter((event) => {
      const id = String(event.audit_id);
      if (this.#known.has(id)) return false;
      this.#known.add(id);
      return true;
    });
  }

  /** Where the stream begins. Without an event in the list it begins with the next one that is chained. */
  #afterNewest(): { readonly sequence_from?: number } {
    const newest = this.#events.value[0];
    return typeof newest?.sequence_number === 'number' ? { sequence_from: newest.sequence_number + 1 } : {};
  }
}
