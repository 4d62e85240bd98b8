import type { ReadMessage } from './message.ts';

/** A message with what the chain is to do with it. */
export interface Entry extends ReadMessage {
  readonly offset: number;
  /** Bytes of the message. */
  readonly size: number;
  readonly leaderEpoch: number;
}

/** A piece of a partition, ready to be stored. Pieces follow one another without a hole. */
export interface Piece {
  readonly from: number;
  readonly next: number;
  readonly entries: readonly Entry[];
  /** In which term the last offset before `next` was appended, where that is known. */
  readonly leaderEpoch: number | undefined;
  /** The broker does not have these messages any more. */
  readonly lost: boolean;
}

export interface BatchLimits {
  readonly maxBatch: number;
  readonly maxBatchBytes: number;
}

/**
 * What one partition has ready while a transaction runs: about one batch more. Its reader waits when there is no room, so
 * memory stays bounded however far behind the store is. In memory only: a crash loses it, and reads it again.
 */
export class BatchQueue {
  readonly #limits: BatchLimits;
  readonly #pieces: Piece[] = [];
  #entries = 0;
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

  /** Resolves when another piece may be put in, or the queue was closed. */
  async room(): Promise<void> {
    while (!this.#closed && this.#isFull()) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  put(piece: Piece): void {
    this.#pieces.push(piece);
    this.#count(piece, 1);
    this.#wakeWriter?.();
  }

  /** As much as one transaction takes: batches grow with what has gathered. `undefined` once the queue was closed. */
  async take(): Promise<Piece | undefined> {
    while (!this.#closed && this.#pieces.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#closed) return undefined;
    const taken: Piece[] = [];
    let entries = 0;
    let bytes = 0;
    for (const piece of this.#pieces) {
      entries += piece.entries.length;
      bytes += sizeOf(piece);
      const isTooMuch = entries > this.#limits.maxBatch || bytes > this.#limits.maxBatchBytes;
      if (taken.length > 0 && (isTooMuch || piece.lost || taken[0]!.lost)) break;
      taken.push(piece);
    }
    this.#pieces.splice(0, taken.length);
    for (const piece of taken) this.#count(piece, -1);
    this.#wakeReader?.();
    const [first, last] = [taken[0]!, taken.at(-1)!];
    return {
      ...first,
      next: last.next,
      leaderEpoch: last.leaderEpoch,
      entries: taken.flatMap((piece) => piece.entries),
    };
  }

  /** Ends both sides; what is in the queue is dropped. */
  close(): void {
    this.#closed = true;
    this.#pieces.length = 0;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  #isFull(): boolean {
    return this.#entries >= this.#limits.maxBatch || this.#bytes >= this.#limits.maxBatchBytes;
  }

  #count(piece: Piece, sign: 1 | -1): void {
    this.#entries += sign * piece.entries.length;
    this.#bytes += sign * sizeOf(piece);
  }
}

function sizeOf({ entries }: Piece): number {
  let bytes = 0;
  for (const { size } of entries) bytes += size;
  return bytes;
}
