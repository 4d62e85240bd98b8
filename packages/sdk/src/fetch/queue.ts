import type { GapReason } from '@tallystick/protocol';
import type { PendingEvent } from '../event/pending-event.ts';

/** An event that was lost, for the next flush to declare. */
export interface Loss {
  readonly tenantId: string;
  readonly reason: GapReason;
}

/** A service that is away for long causes many losses. Further ones are counted, and not declared. */
const maxLosses = 10_000;

/** The events and losses that wait for a flush. Owned by the emitter; a flush takes all of them at once. */
export class FetchQueue {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #events: PendingEvent[] = [];
  #losses: Loss[] = [];
  #bytes = 0;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** @returns whether there was room */
  push(event: PendingEvent): boolean {
    if (!this.#hasRoomFor(event)) return false;
    this.#events.push(event);
    this.#bytes += event.bytes;
    return true;
  }

  addLoss(loss: Loss): void {
    if (this.#losses.length < maxLosses) this.#losses.push(loss);
  }

  takeAll(): { readonly events: readonly PendingEvent[]; readonly losses: readonly Loss[] } {
    const taken = { events: this.#events, losses: this.#losses };
    this.#events = [];
    this.#losses = [];
    this.#bytes = 0;
    return taken;
  }

  /**
   * Puts events back before those that came meanwhile.
   *
   * @returns the events for which there is no room any more
   */
  putBack(events: readonly PendingEvent[], losses: readonly Loss[]): readonly PendingEvent[] {
    for (const loss of losses) this.addLoss(loss);
    const kept: PendingEvent[] = [];
    const lost: PendingEvent[] = [];
    for (const event of events) {
      if (
        this.#events.length + kept.length < this.#maxEvents &&
        this.#bytes + event.bytes <= this.#maxBytes
      ) {
        kept.push(event);
        this.#bytes += event.bytes;
      } else lost.push(event);
    }
    this.#events = [...kept, ...this.#events];
    return lost;
  }

  #hasRoomFor(event: PendingEvent): boolean {
    return this.#events.length < this.#maxEvents && this.#bytes + event.bytes <= this.#maxBytes;
  }
}
