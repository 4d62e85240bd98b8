import type { PendingEvent } from '../event/pending-event.ts';

/** Even with a service that accepts little, a batch may have this many characters. */
const minBatchBytes = 64 * 1024;

/**
 * How large the next batch may be. It shrinks when the service refuses a batch because of its size. Owned by the batch sender.
 *
 * The limit in events grows again with each success. The limit in bytes stays, so that not every batch is sent twice.
 */
export class BatchSize {
  readonly #configuredEvents: number;
  #maxEvents: number;
  #maxBytes: number;

  constructor(maxEvents: number, maxBytes: number) {
    this.#configuredEvents = maxEvents;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  get maxEvents(): number {
    return this.#maxEvents;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The service refused this batch as too large. */
  shrinkBelow(events: readonly PendingEvent[]): void {
    let bytes = 0;
    for (const event of events) bytes += event.bytes;
    this.#maxEvents = Math.ceil(events.length / 2);
    this.#maxBytes = Math.max(minBatchBytes, Math.min(this.#maxBytes, Math.floor(bytes / 2)));
  }

  growAfterSuccess(): void {
    this.#maxEvents = Math.min(this.#configuredEvents, this.#maxEvents * 2);
  }
}
