import type { GapReason } from '../transport/transport.ts';

/**
 * What became of every event, counted when it is known and never before. At any time
 * `emitted + inherited = delivered + rejected + dropped + unconfirmed + (what the outbox holds)`.
 */
export class Counters {
  emitted = 0;
  /** Left on disk by a process before this one. */
  inherited = 0;
  buffered = 0;
  delivered = 0;
  duplicates = 0;
  rejected = 0;
  unconfirmed = 0;
  retries = 0;
  batchesFailed = 0;
  readonly #dropped = new Map<GapReason, number>();

  drop(reason: GapReason, events = 1): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + events);
  }

  get dropped(): number {
    let sum = 0;
    for (const events of this.#dropped.values()) sum += events;
    return sum;
  }

  get droppedByReason(): ReadonlyMap<GapReason, number> {
    return this.#dropped;
  }
}
