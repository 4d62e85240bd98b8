import type { GapReason } from '../transport/transport.ts';
import type { Entry, Load, Outbox } from './entry.ts';
import type { Ledger } from './ledger.ts';

export interface BufferLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * The events held in memory, bounded in number and bytes; what is being sent counts until it is settled. A crash
 * loses all of it. Owned by the emitter's thread.
 */
export class MemoryBuffer implements Outbox {
  readonly opened = Promise.resolve(0);
  readonly durable = 0;
  readonly durableBytes = 0;
  readonly diskLimit = 0;
  readonly owes = false;
  onChange: () => void = () => {};
  readonly #limits: BufferLimits;
  readonly #ledger: Ledger;
  #entries: Entry[] = [];
  /** Index of the head; what is before it is settled, and given back in large pieces. */
  #head = 0;
  #bytes = 0;

  constructor(limits: BufferLimits, ledger: Ledger) {
    this.#limits = limits;
    this.#ledger = ledger;
  }

  push(entry: Entry): GapReason | undefined {
    if (!this.has(entry.bytes)) return 'buffer_full';
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    return undefined;
  }

  /** Whether there is room for one more event of so many bytes. */
  has(bytes: number): boolean {
    return this.size < this.#limits.events && this.#bytes + bytes <= this.#limits.bytes;
  }

  next(maxEvents: number, maxBytes: number): Load | undefined {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = this.#head; index < this.#entries.length && entries.length < maxEvents; index++) {
      const entry = this.#entries[index]!;
      bytes += entry.bytes;
      if (entries.length > 0 && bytes > maxBytes) break;
      entries.push(entry);
    }
    return entries.length === 0 ? undefined : { ledger: this.#ledger, entries };
  }

  remove(load: Load): void {
    this.shift(load.entries.length);
  }

  async close(): Promise<readonly Entry[]> {
    return this.shift(this.size);
  }

  /** Takes `count` events away from the head. */
  shift(count: number): Entry[] {
    const taken = this.#entries.slice(this.#head, this.#head + count);
    for (const entry of taken) this.#bytes -= entry.bytes;
    this.#head += taken.length;
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** How many events at the head have this place in the queue, or an earlier one. */
  countThrough(row: number): number {
    let count = 0;
    while ((this.#entries[this.#head + count]?.row ?? Number.POSITIVE_INFINITY) <= row) count++;
    return count;
  }

  /** Takes those away; how many they were. */
  shiftThrough(row: number): number {
    return this.shift(this.countThrough(row)).length;
  }

  /** The first `count` events, which stay. */
  peek(count: number): readonly Entry[] {
    return this.#entries.slice(this.#head, this.#head + count);
  }

  secure(): void {}

  /** Characters of all events. */
  get bytes(): number {
    return this.#bytes;
  }

  get head(): Entry | undefined {
    return this.#entries[this.#head];
  }

  /** 0 to 1, of events or of bytes, whichever is more. */
  get fill(): number {
    return Math.max(this.size / this.#limits.events, this.#bytes / this.#limits.bytes);
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  get oldest(): number | undefined {
    return this.#entries[this.#head]?.createdAt;
  }
}
