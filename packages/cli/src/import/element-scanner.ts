import { type Fault, type Position, type Scanner, type Slice, SliceBuffer } from './slice.ts';

/**
 * Cuts events out of JSON that may hold them in a list: `{"Records":[…]}`, a Kubernetes `EventList`, a bare array, one
 * event a line, or several documents one after the other. It follows strings and brackets only, so an element's bytes
 * stay as they are and a list of any length passes through; whether an element is JSON is for its reader to say.
 *
 * The file may have been damaged, or written by an attacker. What keeps one bad event from taking others with it:
 * a string never goes past its line (JSON forbids it), and a `{` at the very start of a line begins an event anew where
 * it can't be part of the open one.
 */
export class ElementScanner implements Scanner {
  readonly #listNames: readonly string[];
  readonly #maxBytes: number;
  readonly #held: SliceBuffer;

  #state: 'outside' | 'item' | 'list' | 'tail' | 'junk' = 'outside';
  /** Open brackets, outermost first: 1 for an array. Beyond its length only the depth is known. */
  readonly #isArray = new Uint8Array(maxKnownDepth);
  #depth = 0;
  /** Depth at which the elements of the open list stand; 0 for events that stand by themselves. */
  #base = 0;
  #element = 0;
  #line = 1;
  #atLineStart = true;
  #inString = false;
  #escaped = false;
  /** Last byte that was neither white space nor inside a string; a string counts as its closing quote. */
  #previous = 0;
  #begun: Position = { line: 1 };
  #damage: string | undefined;

  constructor(options: { readonly listNames: readonly string[]; readonly maxBytes: number }) {
    this.#listNames = options.listNames;
    this.#maxBytes = options.maxBytes;
    this.#held = new SliceBuffer(options.maxBytes);
  }

  *scan(chunk: Uint8Array): Generator<Slice | Fault> {
    /** Where the open item's bytes begin in this chunk. */
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      let byte = chunk[at]!;
      if (this.#inString) {
        if (!this.#escaped) {
          // Most bytes are in strings, and most of those say nothing: this loop is what the speed hangs on.
          while (byte !== quote && byte !== backslash && byte !== newline && ++at < chunk.length)
            byte = chunk[at]!;
          if (at === chunk.length) break;
        }
        this.#followString(byte);
        continue;
      }
      if (byte === newline) {
        this.#line++;
        this.#atLineStart = true;
        if (this.#state === 'junk' || (this.#state === 'item' && this.#depth === this.#base)) {
          this.#hold(chunk, from, at);
          yield this.#finish();
        }
        continue;
      }
      const startsLine = this.#atLineStart;
      this.#atLineStart = false;
      if (byte === 0x20 || byte === 0x09 || byte === 0x0d) continue;

      if (startsLine && byte === openBrace && this.#breaksItem()) {
        this.#damage ??= 'an event that is not closed before the next one begins';
        this.#hold(chunk, from, at);
        yield this.#finish();
      }
      switch (this.#state) {
        case 'outside':
          from = at;
          this.#beginOutside(byte);
          break;
        case 'list':
          if (byte === comma) break;
          if (byte === closeBracket || byte === closeBrace) {
            if (byte === closeBrace) yield this.#fault('SOURCE_MALFORMED', 'a list closed by a brace');
            this.#closeList();
          } else {
            from = at;
            this.#beginItem(byte);
          }
          break;
        case 'item':
          if (this.#depth === this.#base && (byte === comma || byte === closeBracket)) {
            // A bare number or word ends where its list goes on.
            this.#hold(chunk, from, at);
            yield this.#finish();
            if (byte === closeBracket) this.#closeList();
          } else if (this.#opensList(byte, chunk, from, at)) {
            this.#held.clear();
            this.#openList(2);
          } else if (this.#follow(byte)) {
            this.#hold(chunk, from, at + 1);
            yield this.#finish();
          }
          break;
        case 'tail':
          if (this.#follow(byte)) this.#state = 'outside';
          break;
        case 'junk':
          break;
      }
      this.#previous = byte;
    }
    if (this.#state === 'item' || this.#state === 'junk') this.#hold(chunk, from, chunk.length);
  }

  *end(): Generator<Slice | Fault> {
    if (this.#state === 'junk' || (this.#state === 'item' && this.#depth === this.#base && !this.#inString)) {
      const inList = this.#base > 0;
      yield this.#finish();
      if (!inList) return;
    } else if (this.#state === 'item') {
      const reason = 'the file ends in the middle of an event';
      yield { ...this.#begun, fault: 'SOURCE_TRUNCATED', reason };
      return;
    }
    if (this.#state === 'list' || this.#state === 'tail') {
      const reason = 'the file ends before its list does: events may be missing';
      yield { line: this.#line, element: this.#element, fault: 'SOURCE_TRUNCATED', reason };
    }
  }

  #beginOutside(byte: number): void {
    this.#base = 0;
    this.#depth = 0;
    if (byte === openBracket) {
      this.#isArray[0] = 1;
      this.#depth = 1;
      this.#openList(1);
    } else if (byte === openBrace) this.#beginItem(byte);
    else {
      this.#begun = { line: this.#line };
      this.#state = 'junk';
    }
  }

  #beginItem(byte: number): void {
    this.#begun = this.#base > 0 ? { line: this.#line, element: this.#element++ } : { line: this.#line };
    this.#damage = undefined;
    this.#state = 'item';
    this.#previous = 0;
    this.#follow(byte);
  }

  /** Takes one byte outside strings; true where it closes the item (or, in the tail, the document). */
  #follow(byte: number): boolean {
    switch (byte) {
      case quote:
        this.#inString = true;
        return false;
      case openBrace:
      case openBracket:
        if (this.#depth < maxKnownDepth) this.#isArray[this.#depth] = byte === openBracket ? 1 : 0;
        this.#depth++;
        return false;
      case closeBrace:
      case closeBracket:
        this.#depth--;
        return this.#depth <= (this.#state === 'tail' ? 0 : this.#base);
      default:
        return false;
    }
  }

  #followString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) {
      this.#escaped = true;
      return;
    } else if (byte === quote) {
      this.#inString = false;
      this.#previous = quote;
    }
    if (byte === newline) {
      // Whatever was meant, the string is over: this event is lost, and the next one shall not be.
      this.#damage ??= 'a string that is not closed on its line';
      this.#inString = false;
      this.#escaped = false;
      this.#line++;
      this.#atLineStart = true;
    }
  }

  /** Whether a `{` at the start of a line can't belong to the open item. */
  #breaksItem(): boolean {
    if (this.#state !== 'item') return false;
    if (this.#base === 0 || this.#damage !== undefined) return true;
    const parentIsArray = this.#isArray[Math.min(this.#depth, maxKnownDepth) - 1] === 1;
    const legal = parentIsArray
      ? this.#previous === comma || this.#previous === openBracket
      : this.#previous === colon;
    return !legal;
  }

  /** Whether this `[` is the value of one of the list names, at the top of a document. */
  #opensList(byte: number, chunk: Uint8Array, from: number, at: number): boolean {
    if (byte !== openBracket || this.#base !== 0 || this.#depth !== 1 || this.#previous !== colon)
      return false;
    const here = chunk.subarray(Math.max(from, at - maxNameBytes), at);
    const before = this.#held.tail(maxNameBytes - here.length);
    const text = Buffer.concat([before, here]).toString('latin1');
    const name = /(?:^|[^\\])"([^"\\]*)"\s*:\s*$/.exec(text)?.[1];
    return name !== undefined && this.#listNames.includes(name);
  }

  #openList(base: number): void {
    if (base === 2) this.#follow(openBracket);
    this.#base = base;
    this.#element = 0;
    this.#state = 'list';
  }

  #closeList(): void {
    this.#depth--;
    this.#base = 0;
    this.#state = this.#depth > 0 ? 'tail' : 'outside';
  }

  #hold(chunk: Uint8Array, from: number, to: number): void {
    this.#held.append(chunk.subarray(from, to));
  }

  #finish(): Slice | Fault {
    const held = this.#held;
    const found: Slice | Fault =
      this.#damage !== undefined
        ? { ...this.#begun, fault: 'SOURCE_MALFORMED', reason: this.#damage }
        : held.overflowed
          ? {
              ...this.#begun,
              fault: 'SOURCE_TOO_LARGE',
              reason: `${held.length} bytes, at most ${this.#maxBytes} fit into an event`,
            }
          : { ...this.#begun, bytes: trimEnd(held.bytes()) };
    held.clear();
    this.#damage = undefined;
    this.#state = this.#base > 0 ? 'list' : 'outside';
    this.#depth = this.#base;
    return found;
  }

  #fault(fault: 'SOURCE_MALFORMED', reason: string): Fault {
    return { line: this.#line, element: this.#element, fault, reason };
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const newline = 0x0a;

/** Deeper nesting is followed without knowing what kind of bracket is open; no event is that deep. */
const maxKnownDepth = 256;
/** How far back the name of a list is looked for: the name itself and generous white space. */
const maxNameBytes = 1_024;

function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x09 || bytes[end - 1] === 0x0d)) end--;
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}
