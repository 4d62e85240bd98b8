import type { GapReason } from '@tallystick/protocol';

/**
 * The outcomes of all events since the emitter was created. At any time,
 * `emitted + inherited = delivered + rejected + dropped + unconfirmed + spooled + pending`.
 */
export interface DeliveryReport {
  /** Calls of `emit()` and `record()` that returned an id. */
  readonly emitted: number;
  /** Events on disk that an earlier process left. */
  readonly inherited: number;
  /** Events that the service has: newly chained, already chained, or accepted by its queue. */
  readonly delivered: number;
  /** Delivered events that the service already had. */
  readonly duplicates: number;
  /** Events that the SDK or the service refused because of their content. */
  readonly rejected: number;
  /** Events that were lost because there was no room, or because the emitter was closed. */
  readonly dropped: number;
  /** Events that were sent without a response before the emitter was closed. The service may have them. */
  readonly unconfirmed: number;
  /** Events on disk that this process or a later one will deliver. */
  readonly spooled: number;
  /** Events in memory that are not delivered yet; 0 after `close()`. */
  readonly pending: number;
}

/** Counts the outcome of each event when it is known. Owned by the emitter's thread. */
export class Counters {
  emitted = 0;
  inherited = 0;
  /** Events that the outbox accepted. */
  buffered = 0;
  delivered = 0;
  duplicates = 0;
  rejected = 0;
  unconfirmed = 0;
  /** Tries to send a batch after its first one. */
  retries = 0;
  /** Batches for which all tries failed. */
  batchesFailed = 0;
  readonly #dropped = new Map<GapReason, number>();

  drop(reason: GapReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  get dropped(): number {
    let sum = 0;
    for (const events of this.#dropped.values()) sum += events;
    return sum;
  }

  get droppedByReason(): ReadonlyMap<GapReason, number> {
    return this.#dropped;
  }

  /** @param eventsOnDisk how many events the spool contains */
  report(eventsOnDisk: number): DeliveryReport {
    const { emitted, inherited, delivered, duplicates, rejected, dropped, unconfirmed } = this;
    const unsettled = emitted + inherited - delivered - rejected - dropped - unconfirmed;
    const spooled = Math.min(eventsOnDisk, unsettled);
    const pending = unsettled - spooled;
    return { emitted, inherited, delivered, duplicates, rejected, dropped, unconfirmed, spooled, pending };
  }
}
