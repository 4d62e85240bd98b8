import type { GapReason } from '@tallystick/protocol';
import type { PendingEvent } from '../event/pending-event.ts';
import type { OutboundBatch, Outbox, ProducerGaps } from './outbox.ts';

export interface BufferLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * The events in memory, limited in number and bytes. Events that are being sent count until they are removed. A crash loses all
 * of them. Owned by the emitter's thread.
 */
export class MemoryBuffer implements Outbox {
  readonly opened = Promise.resolve(0);
  readonly spooledEvents = 0;
  readonly spooledBytes = 0;
  readonly spoolCapacityBytes = 0;
  readonly owesDeclarations = false;
  onChange: () => void = () => {};
  readonly #limits: BufferLimits;
  readonly #producer: ProducerGaps;
  #events: PendingEvent[] = [];
  /** Index of the first event. Those before it were removed; the array is copied only when they are more than half of it. */
  #first = 0;
  #bytes = 0;

  constructor(limits: BufferLimits, producer: ProducerGaps) {
    this.#limits = limits;
    this.#producer = producer;
  }

  push(event: PendingEvent): GapReason | undefined {
    if (!this.hasRoomFor(event.bytes)) return 'buffer_full';
    this.#events.push(event);
    this.#bytes += event.bytes;
    return undefined;
  }

  /** Whether there is room for one more event of this size. */
  hasRoomFor(bytes: number): boolean {
    return this.size < this.#limits.events && this.#bytes + bytes <= this.#limits.bytes;
  }

  next(maxEvents: number, maxBytes: number): OutboundBatch | undefined {
    const events: PendingEvent[] = [];
    let bytes = 0;
    for (let index = this.#first; index < this.#events.length && events.length < maxEvents; index++) {
      const event = this.#events[index]!;
      bytes += event.bytes;
      if (events.length > 0 && bytes > maxBytes) break;
      events.push(event);
    }
    return events.length === 0 ? undefined : { producer: this.#producer, events };
  }

  remove(batch: OutboundBatch): void {
    this.shift(batch.events.length);
  }

  async close(): Promise<readonly PendingEvent[]> {
    return this.shift(this.size);
  }

  /** Removes and returns the first `count` events. */
  shift(count: number): PendingEvent[] {
    const removed = this.#events.slice(this.#first, this.#first + count);
    for (const event of removed) this.#bytes -= event.bytes;
    this.#first += removed.length;
    if (this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
    return removed;
  }

  /** Removes and returns the first events, up to this position in the queue. */
  shiftThrough(position: number): PendingEvent[] {
    let count = 0;
    while ((this.#events[this.#first + count]?.position ?? Number.POSITIVE_INFINITY) <= position) count++;
    return this.shift(count);
  }

  /** The first `count` events. They stay in the buffer. */
  peek(count: number): readonly PendingEvent[] {
    return this.#events.slice(this.#first, this.#first + count);
  }

  /** Memory alone can't persist anything. */
  persist(): void {}

  async recordEnd(): Promise<void> {}

  recordEndNow(): void {}

  /** Characters of all events. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How full the buffer is, from 0 to 1: by number of events or by bytes, whichever is more. */
  get fill(): number {
    return Math.max(this.size / this.#limits.events, this.#bytes / this.#limits.bytes);
  }

  get size(): number {
    return this.#events.length - this.#first;
  }

  get oldest(): number | undefined {
    return this.#events[this.#first]?.createdAt;
  }
}
