import { createHash, type Hash } from 'node:crypto';

/** Records of one window. It is the longest list that one request returns. */
const windowRecords = 1_000;

/** Consecutive records of a verified trail, by the hashes of their bytes. */
export interface RecordWindow {
  readonly first: number;
  readonly last: number;
  /** SHA-256 of the records' hashes, in order, hex. */
  readonly digest: string;
}

/** Remembers the records of a trail in 32 bytes per thousand, so that lists can be compared with them afterwards. */
export class RecordWindows {
  readonly #closed: RecordWindow[] = [];
  #open: { readonly first: number; last: number; readonly hash: Hash } | undefined;

  /** Adds the next record. */
  add(sequence: number, recordHash: Uint8Array): void {
    if (this.#open !== undefined && sequence !== this.#open.last + 1) this.#close();
    this.#open ??= { first: sequence, last: sequence, hash: createHash('sha256') };
    this.#open.hash.update(recordHash);
    this.#open.last = sequence;
    if (sequence - this.#open.first + 1 === windowRecords) this.#close();
  }

  /** The windows of all records. Nothing can be added afterwards. */
  finish(): readonly RecordWindow[] {
    this.#close();
    return this.#closed;
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { first, last, hash } = this.#open;
    this.#closed.push({ first, last, digest: hash.digest('hex') });
    this.#open = undefined;
  }
}

/** The digest of a window with these records. */
export function digestOf(recordHashes: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const recordHash of recordHashes) hash.update(recordHash);
  return hash.digest('hex');
}
