import type { PendingEvent } from '../event/pending-event.ts';
import type { SpoolContents } from './requests.ts';

/**
 * The events on disk as the emitter's thread counts them, without a request to the spool's thread. The counts stay when the spool
 * is abandoned or closed, since the events are still on disk. Owned by the emitter's thread.
 */
export class DiskBacklog {
  events = 0;
  /** Characters of these events. */
  bytes = 0;
  #oldest: number | undefined;

  /** When the oldest event was emitted, or the last one that was removed before it; milliseconds since the epoch. */
  get oldest(): number | undefined {
    return this.events > 0 ? this.#oldest : undefined;
  }

  /** The file was opened and contained this. */
  restore({ events, bytes, oldest }: SpoolContents): void {
    this.events = events;
    this.bytes = bytes;
    this.#oldest = oldest;
  }

  /** The event was written. */
  add(event: PendingEvent): void {
    if (this.events === 0) this.#oldest = event.createdAt;
    this.events++;
    this.bytes += event.bytes;
  }

  /** The first events of the queue are settled. */
  remove(events: readonly PendingEvent[]): void {
    this.events -= events.length;
    for (const event of events) this.bytes -= event.bytes;
    this.#oldest = events.at(-1)?.createdAt ?? this.#oldest;
  }
}
