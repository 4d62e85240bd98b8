import { type Fault, type Position, type Scanner, type Slice, SliceBuffer } from './slice.ts';

/**
 * Finds the events in JSON that may hold them in a list: `{"Records":[…]}`, a Kubernetes `EventList`, an array, one event
 * per line, or several documents one after the other. It only follows strings and brackets, so that the bytes of an element
 * stay as they are and a list of any length takes constant memory. Whether an element is valid JSON is checked later.
 *
 * The file may be damaged, or an attacker may have written it. Two rules limit the loss to the bad event: a string ends with
 * its line, because JSON forbids line breaks in strings; and a `{` at the start of a line begins a new event if it can't be
 * part of the open one.
 */
export class ElementScanner implements Scanner {
  readonly #listNames: readonly string[];
  readonly #maxBytes: number;
  readonly #held: SliceBuffer;

  #state: 'outside' | 'item' | 'list' | 'tail' | 'junk' = 'outside';
  /** The open brackets, outermost first: 1 for an array. Deeper brackets are only counted. */
  readonly #isArray = new Uint8Array(maxKnownDepth);
  #depth = 0;
  /** Depth of the elements of the open list; 0 for events outside of a list. */
  #base = 0;
  #element = 0;
  #line = 1;
  #atLineStart = true;
  #inString = false;
  #escaped = false;
  /** The last byte outside of strings that is not white space. For a string it is the closing quote. */
  #previous = 0;
  #begun: Position = { line: 1 };
  #damage: string | undefined;

  constructor(options: { readonly listNames: readonly string[]; readonly maxBytes: number }) {
    this.#listNames = options.listNames;
    this.#maxBytes = options.maxBytes;
    this.#held = new SliceBuffer(options.maxBytes);
  }

  *scan(chunk: Uint8Array): Generator<Slice | Fault> {
    /** Where the bytes of the open item begin in this chunk. */
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      let byte = chunk[at]!;
      if (this.#inString) {
        if (!this.#escaped) {
          // Most bytes of a log are inside strings, so the speed of the scanner depends on this loop.
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
        this.#damage ??= 'the event is not closed before the next one begins';
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
            if (byte === closeBrace) yield this.#fault('SOURCE_MALFORMED', 'a brace closes the list');
            this.#closeList();
          } else {
            from = at;
            this.#beginItem(byte);
          }
          break;
        case 'item':
          if (this.#depth === this.#base && (byte === comma || byte === closeBracket)) {
            // A number or a word has no closing bracket: it ends where the list continues.
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
      const reason = 'the file ends before the end of the list: events may be missing';
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

  /** Follows one byte outside of strings. Returns true if it closes the item or, in the tail, the document. */
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
      // The string ends here: this event is lost, but the next one is not.
      this.#damage ??= 'a string is not closed on its line';
      this.#inString = false;
      this.#escaped = false;
      this.#line++;
      this.#atLineStart = true;
    }
  }

  /** Whether a `{` at the start of a line can't be part of the open item. */
  #breaksItem(): boolean {
    if (this.#state !== 'item') return false;
    if (this.#base === 0 || this.#damage !== undefined) return true;
    const parentIsArray = this.#isArray[Math.min(this.#depth, maxKnownDepth) - 1] === 1;
    const legal = parentIsArray
      ? this.#previous === comma || this.#previous === openBracket
      : this.#previous === colon;
    return !legal;
  }

  /** Whether this `[` opens a list of events: at the top level of a document, after one of the list names. */
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
              reason: `${held.length} bytes; an event has at most ${this.#maxBytes}`,
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

/** The kinds of deeper brackets are not remembered. No event is that deep. */
const maxKnownDepth = 256;
/** How many bytes before a `[` are searched for the name of a list: the name and some white space. */
const maxNameBytes = 1_024;

function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x09 || bytes[end - 1] === 0x0d)) end--;
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}
