import type { EventView } from '@tallystick/protocol';

/** How many new events are kept outside of the pages. Of more, the newest are kept; the others are read by cursor. */
export const maxNewEvents = 1_000;

/**
 * The events that a stream brings in addition to the pages of a list: those that the list shows above its pages, and those that wait. Both
 * are bounded. What is not kept is counted, and is in the trail.
 */
export class LiveEvents {
  /** The newest first. */
  shown: readonly EventView[] = [];
  waiting: readonly EventView[] = [];
  /** Events that wait, also those that are not kept. */
  waitingCount = 0;
  /** All events that came. */
  received = 0;
  /** The newest event of the pages and of the stream. */
  #newest: EventView | undefined;
  /** The newest event that was not kept. */
  #dropped: EventView | undefined;

  /** Notes the newest event of a page. The stream and the pages overlap, so events up to it are repetitions. */
  noteNewest(event: EventView | undefined): void {
    if (event !== undefined && (this.#newest === undefined || isAfter(event, this.#newest)))
      this.#newest = event;
  }

  get newest(): EventView | undefined {
    return this.#newest;
  }

  /** Takes what came, the oldest first. */
  receive(arrived: readonly EventView[]): void {
    const fresh: EventView[] = [];
    for (const event of arrived) {
      if (this.#newest !== undefined && !isAfter(event, this.#newest)) continue;
      this.#newest = event;
      fresh.push(event);
    }
    this.received += fresh.length;
    this.waitingCount += fresh.length;
    const waiting = [...fresh.reverse(), ...this.waiting];
    this.waiting = waiting.slice(0, maxNewEvents);
    this.#dropped = waiting[maxNewEvents] ?? this.#dropped;
  }

  /** Whether all that waits can be shown above the pages. Otherwise the list has to begin anew with its newest page. */
  get fits(): boolean {
    const isWhole = this.waitingCount === this.waiting.length;
    return isWhole && this.shown.length + this.waiting.length <= maxNewEvents;
  }

  /** Shows what waits, above the pages. */
  show(): void {
    this.shown = [...this.waiting, ...this.shown];
    this.waiting = [];
    this.waitingCount = 0;
  }

  /** The list begins anew with a page: what is in it or before it does not wait any more. */
  beginAbove(newest: EventView | undefined): void {
    this.noteNewest(newest);
    this.shown = [];
    this.waiting = newest === undefined ? [] : this.waiting.filter((event) => isAfter(event, newest));
    const isCut = this.#dropped !== undefined && newest !== undefined && isAfter(this.#dropped, newest);
    // An unknown number came between the page and what is kept. One more than is kept says that the list has to begin anew again.
    this.waitingCount = this.waiting.length + (isCut ? 1 : 0);
    if (!isCut) this.#dropped = undefined;
  }
}

/** Whether an event was chained after another one. */
function isAfter(event: EventView, other: EventView): boolean {
  const [epoch, otherEpoch] = [Number(event.epoch ?? 0), Number(other.epoch ?? 0)];
  return epoch === otherEpoch
    ? Number(event.sequence_number) > Number(other.sequence_number)
    : epoch > otherEpoch;
}
