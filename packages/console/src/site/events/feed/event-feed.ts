import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { type Client, ClientError, type EventQuery } from '@tallystick/client';
import type { EventPage, EventView } from '@tallystick/protocol';
import { EventPages } from './event-pages.ts';
import { LiveEvents, maxNewEvents } from './live-events.ts';

/** What the list shows below its events. */
export type FeedEnd = 'loading' | 'more' | 'end' | 'failed';

/** Events per request. */
const pageSize = 100;
/** How many events from the end the next page is read. */
const aheadOfEnd = 30;
/** New events are shown together: a list that is drawn for each of 500 events a second is of no use. ms */
const togetherMs = 250;
/** Pause before live mode tries a service again that can't be reached, ms. A restart takes longer than the retries of the client. */
const awayMs = 5_000;

/**
 * The events that match a query, the newest first: older ones page by page when they are wanted, and in live mode the new ones as they
 * are chained. All state of the list is here and belongs to this object. It keeps what is in view and around it, whatever the list's length.
 */
export class EventFeed {
  readonly #client: Client;
  readonly #query: EventQuery;
  readonly #closing = new AbortController();
  #pages = new EventPages();
  readonly #live = new LiveEvents();
  /** What came since new events were last shown, the oldest first. */
  #arrived: EventView[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #following: AbortController | undefined;
  /** The next attempt of live mode while the service can't be reached. */
  #nextAttempt: ReturnType<typeof setTimeout> | undefined;
  /** The rows in view. */
  #inView: readonly [first: number, last: number] = [0, 0];
  #isRestoring = false;
  #isBeginningAnew = false;
  #hasBegunAnew = false;

  /** Changes with the events, which are not in a signal themselves. */
  readonly #version = signal(0);
  readonly #end = signal<FeedEnd>('more');
  readonly #error = signal<unknown>(undefined);
  readonly #searchedTo = signal<boolean>(true);

  constructor(client: Client, query: EventQuery) {
    this.#client = client;
    this.#query = query;
  }

  /** Events of the list, also those that are not kept. */
  get count(): number {
    this.#version.value;
    return this.#live.shown.length + this.#pages.count;
  }
  get end(): ReadonlySignal<FeedEnd> {
    return this.#end;
  }
  /** Why the last page, or live mode, failed. */
  get error(): ReadonlySignal<unknown> {
    return this.#error;
  }
  /** New events that are not in the list yet. */
  get waiting(): number {
    this.#version.value;
    return this.#live.waitingCount;
  }
  /** New events that came and that the list does not have at the moment. It has them again when the reader scrolls down to them. */
  get leftOut(): number {
    this.#version.value;
    const { received, shown, waitingCount } = this.#live;
    return this.#hasBegunAnew ? Math.max(0, received - shown.length - waitingCount - this.#pages.count) : 0;
  }
  /** False where the last request reached the end of its budget, so that there may be more between the events. */
  get isSearched(): ReadonlySignal<boolean> {
    return this.#searchedTo;
  }

  /** An event of the list; `undefined` while it is read again. */
  at(index: number): EventView | undefined {
    this.#version.value;
    const { shown } = this.#live;
    return index < shown.length ? shown[index] : this.#pages.at(index - shown.length);
  }

  /** The first events of the list. */
  first(count: number): readonly EventView[] {
    const events: EventView[] = [];
    for (let event = this.at(0); event !== undefined && events.length < count; event = this.at(events.length))
      events.push(event);
    return events;
  }

  /** Index of an event that is kept; -1 if it is not. */
  indexOf(auditId: string): number {
    const { shown } = this.#live;
    const at = shown.findIndex((event) => event.audit_id === auditId);
    const inPages = at < 0 ? this.#pages.indexOf(auditId) : -1;
    return at >= 0 || inPages < 0 ? at : shown.length + inPages;
  }

  /** Says which rows are in view. Their events are read again if they are not kept, and so is the next page near the end. */
  show(first: number, last: number): void {
    const above = this.#live.shown.length;
    this.#inView = [first - above, last - above];
    if (this.#end.value === 'more' && last >= this.count - aheadOfEnd) void this.loadMore();
    void this.#restoreInView();
  }

  /** Loads the next page. While one is loading, and at the end, it does nothing. */
  async loadMore(): Promise<void> {
    if (this.#end.value === 'loading' || this.#end.value === 'end') return;
    this.#end.value = 'loading';
    const pages = this.#pages;
    const { signal } = this.#closing;
    try {
      const page = await this.#read(pages.nextCursor, signal);
      // The list began anew meanwhile.
      if (pages !== this.#pages) return;
      batch(() => this.#append(page));
    } catch (error) {
      if (signal.aborted || pages !== this.#pages) return;
      batch(() => {
        this.#error.value = error;
        this.#end.value = 'failed';
      });
    }
  }

  /** Begins to collect new events, from the newest one of the list on. */
  async follow(): Promise<void> {
    if (this.#following !== undefined) return;
    clearTimeout(this.#nextAttempt);
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
        if (!(Date.parse(String(event.timestamp)) < since)) this.#arrive(event);
    } catch (error) {
      if (signal.aborted) return;
      this.#error.value = error;
      if (error instanceof ClientError && error.code === 'UNREACHABLE')
        this.#nextAttempt = setTimeout(() => void this.follow(), awayMs);
    } finally {
      this.#receive();
      if (this.#following === following) this.#following = undefined;
    }
  }

  /** Ends live mode. What has come stays. */
  stopFollowing(): void {
    clearTimeout(this.#nextAttempt);
    this.#following?.abort();
    this.#following = undefined;
  }

  /** Moves the waiting events into the list. If they are too many, the list begins anew with its newest page; the others are below it. */
  async showWaiting(): Promise<void> {
    if (this.#isBeginningAnew || this.#live.waitingCount === 0) return;
    if (!this.#live.fits) return await this.#beginAnew();
    this.#live.show();
    this.#version.value++;
  }

  /** Tries again what failed. */
  retry(): void {
    if (this.#end.value === 'failed') void this.loadMore();
    else if (this.#pages.missingIn(...this.#inView) !== undefined) void this.#restoreInView();
    else void this.follow();
  }

  /** Ends all requests. The feed is not used afterwards. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#nextAttempt);
  }

  async #read(cursor: string | undefined, signal: AbortSignal): Promise<EventPage> {
    return await this.#client.events.list({ ...this.#query, limit: pageSize, cursor }, { signal });
  }

  #append(page: EventPage): void {
    this.#pages.append(page);
    this.#live.noteNewest(page.events[0]);
    this.#error.value = undefined;
    this.#searchedTo.value = page.complete !== false;
    this.#end.value = page.next_cursor === undefined ? 'end' : 'more';
    this.#version.value++;
  }

  async #beginAnew(): Promise<void> {
    this.#isBeginningAnew = true;
    const { signal } = this.#closing;
    try {
      const page = await this.#read(undefined, signal);
      batch(() => {
        this.#receive();
        this.#pages = new EventPages();
        this.#live.beginAbove(page.events[0]);
        this.#hasBegunAnew = true;
        this.#append(page);
      });
      // Events that came meanwhile may wait for the list.
      this.#isBeginningAnew = false;
      this.#version.value++;
    } catch (error) {
      if (!signal.aborted) this.#error.value = error;
    } finally {
      this.#isBeginningAnew = false;
    }
  }

  /** Reads pages in view that are not kept, one after the other, and forgets those that are far away. */
  async #restoreInView(): Promise<void> {
    if (this.#isRestoring) return;
    this.#isRestoring = true;
    const { signal } = this.#closing;
    try {
      for (;;) {
        const pages = this.#pages;
        const missing = pages.missingIn(...this.#inView);
        if (missing === undefined) break;
        const page = await this.#read(missing.cursor, signal);
        if (pages !== this.#pages) continue;
        batch(() => {
          if (!pages.restore(missing.start, page))
            this.#end.value = page.next_cursor === undefined ? 'end' : 'more';
          this.#error.value = undefined;
          this.#version.value++;
        });
      }
      this.#pages.keepAround(...this.#inView);
    } catch (error) {
      if (!signal.aborted) this.#error.value = error;
    } finally {
      this.#isRestoring = false;
    }
  }

  #arrive(event: EventView): void {
    this.#arrived.push(event);
    if (this.#arrived.length >= maxNewEvents) this.#receive();
    else this.#timer ??= setTimeout(() => this.#receive(), togetherMs);
  }

  #receive(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#arrived.length === 0) return;
    this.#live.receive(this.#arrived);
    this.#arrived = [];
    this.#version.value++;
  }

  /** Where the stream begins. Without an event in the list it begins with the next one that is chained. */
  #afterNewest(): { readonly sequence_from?: number } {
    const number = this.#live.newest?.sequence_number;
    return typeof number === 'number' ? { sequence_from: number + 1 } : {};
  }
}
