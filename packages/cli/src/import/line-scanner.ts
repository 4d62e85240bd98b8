import { type Fault, type Scanner, type Slice, SliceBuffer } from './slice.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

/** One source event per line, as in JSON Lines. Empty lines are skipped; the last line needs no newline. */
export class LineScanner implements Scanner {
  readonly #held: SliceBuffer;
  readonly #maxBytes: number;
  #line = 1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#held = new SliceBuffer(maxBytes);
  }

  *scan(chunk: Uint8Array): Generator<Slice | Fault> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      this.#held.append(chunk.subarray(start, end));
      yield* this.#take();
      this.#line++;
      start = end + 1;
    }
    this.#held.append(chunk.subarray(start));
  }

  *end(): Generator<Slice | Fault> {
    yield* this.#take();
  }

  *#take(): Generator<Slice | Fault> {
    const held = this.#held;
    if (held.overflowed) {
      const reason = `the line has ${held.length} bytes; an event has at most ${this.#maxBytes}`;
      yield { line: this.#line, fault: 'SOURCE_TOO_LARGE', reason };
    } else if (held.length > 0) {
      let bytes = held.bytes();
      if (bytes.at(-1) === carriageReturn) bytes = bytes.subarray(0, -1);
      if (!isBlank(bytes)) yield { line: this.#line, bytes };
    }
    held.clear();
  }
}

function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== carriageReturn) return false;
  return true;
}
