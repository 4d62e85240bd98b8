import { type PreparedRange, sizeOf } from './prepared-range.ts';

export interface BatchLimits {
  /** Most messages of one transaction. */
  readonly maxBatch: number;
  /** Most bytes of messages of one transaction, unless one message is longer. */
  readonly maxBatchBytes: number;
}

/**
 * The ranges of one partition that wait while a transaction runs: about one batch. If the queue is full, the reader waits,
 * which bounds the memory however slow the store is.
 *
 * In memory only: after a crash, the ranges are read again.
 */
export class RangeQueue {
  readonly #limits: BatchLimits;
  readonly #ranges: PreparedRange[] = [];
  #messages = 0;
  #bytes = 0;
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the queue has room for another range, or is closed. */
  async room(): Promise<void> {
    while (!this.#closed && this.#isFull()) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  put(range: PreparedRange): void {
    this.#ranges.push(range);
    this.#count(range, 1);
    this.#wakeWriter?.();
  }

  /**
   * Takes as many waiting ranges as one transaction may store, merged into one: batches grow with the load.
   *
   * @returns undefined once the queue is closed
   */
  async take(): Promise<PreparedRange | undefined> {
    while (!this.#closed && this.#ranges.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#closed) return undefined;
    const taken: PreparedRange[] = [];
    let messages = 0;
    let bytes = 0;
    for (const range of this.#ranges) {
      messages += range.messages.length;
      bytes += sizeOf(range);
      const isTooMuch = messages > this.#limits.maxBatch || bytes > this.#limits.maxBatchBytes;
      if (taken.length > 0 && (isTooMuch || range.lost || taken[0]!.lost)) break;
      taken.push(range);
    }
    this.#ranges.splice(0, taken.length);
    for (const range of taken) this.#count(range, -1);
    this.#wakeReader?.();
    const [first, last] = [taken[0]!, taken.at(-1)!];
    return {
      ...first,
      next: last.next,
      leaderEpoch: last.leaderEpoch,
      messages: taken.flatMap((range) => range.messages),
    };
  }

  /** Ends the waits of both sides, and drops the ranges that wait. */
  close(): void {
    this.#closed = true;
    this.#ranges.length = 0;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  #isFull(): boolean {
    return this.#messages >= this.#limits.maxBatch || this.#bytes >= this.#limits.maxBatchBytes;
  }

  #count(range: PreparedRange, sign: 1 | -1): void {
    this.#messages += sign * range.messages.length;
    this.#bytes += sign * sizeOf(range);
  }
}
