/** Why a part of a source is not an event; counted as rejected. */
type SourceFaultCode =
  | 'SOURCE_MALFORMED'
  | 'SOURCE_TRUNCATED'
  | 'SOURCE_TOO_LARGE'
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_UNSUPPORTED';

/** Where in a file something begins: for people, who have an editor, and for `sed -n`. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 0, in the list that holds it; absent for an event that stands by itself. */
  readonly element?: number;
}

/** The bytes of one source event, exactly as the file holds them. */
export interface Slice extends Position {
  readonly bytes: Uint8Array;
}

/** A place where there should be an event and is none that can be read. */
export interface Fault extends Position {
  readonly fault: SourceFaultCode;
  readonly reason: string;
}

export function isFault(found: Slice | Fault): found is Fault {
  return 'fault' in found;
}

/**
 * Cuts source events out of a file's bytes, chunk by chunk, in memory bounded by one event.
 *
 * `scan` MUST be called with the chunks in order and `end` once after the last; both MUST be consumed fully. A slice's
 * bytes MUST NOT be written to: they may be the chunk's own.
 */
export interface Scanner {
  scan(chunk: Uint8Array): Iterable<Slice | Fault>;
  end(): Iterable<Slice | Fault>;
}

/** Bytes collected over chunk borders, up to a limit. */
export class SliceBuffer {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether more came than the limit; nothing is held any more then. */
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
