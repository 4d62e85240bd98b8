/** Why a part of a source is not an event. It counts as rejected. */
type SourceFaultCode =
  | 'SOURCE_MALFORMED'
  | 'SOURCE_TRUNCATED'
  | 'SOURCE_TOO_LARGE'
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_UNSUPPORTED';

/** Where in a file something begins, so that people find it with an editor or `sed -n`. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** Index in its list, from 0; absent for an event outside of a list. */
  readonly element?: number;
}

/** The bytes of one source event, exactly as they are in the file. */
export interface Slice extends Position {
  readonly bytes: Uint8Array;
}

/** A place in the file where an event should be, but can't be read. */
export interface Fault extends Position {
  readonly fault: SourceFaultCode;
  readonly reason: string;
}

export function isFault(found: Slice | Fault): found is Fault {
  return 'fault' in found;
}

/**
 * Finds the source events in the bytes of a file, chunk by chunk. It holds one event in memory at most.
 *
 * The caller MUST call `scan` with the chunks in order and `end` once after the last chunk, and MUST consume both results
 * completely. It MUST NOT write to the bytes of a slice, because they may be a part of the chunk.
 */
export interface Scanner {
  scan(chunk: Uint8Array): Iterable<Slice | Fault>;
  end(): Iterable<Slice | Fault>;
}

/** Collects bytes across the borders of chunks, up to a limit. */
export class SliceBuffer {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether there were more bytes than the limit. The bytes are then dropped, and only counted. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    if (this.#length > this.#limit) {
      this.#overflowed = true;
      this.#parts = [];
    } else this.#parts.push(bytes);
  }

  bytes(): Uint8Array {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
  }

  /** The last bytes, at most `count`. */
  tail(count: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = this.#parts.length - 1, missing = count; at >= 0 && missing > 0; at--) {
      const part = this.#parts[at]!.subarray(-missing);
      parts.unshift(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  clear(): void {
    this.#parts = [];
    this.#length = 0;
    this.#overflowed = false;
  }
}
