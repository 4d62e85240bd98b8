/**
 * Cuts a stream of server-sent events into events while its bytes pass.
 *
 * Why not the library eventsource-parser, which the client of the service uses: it collects an event as one string, and a result of
 * many megabytes must pass without being held.
 */

/** What an event says besides its data. */
export interface EventEnd {
  readonly type: string;
  /** The id, which a client sends as `Last-Event-ID` to resume the stream. It holds until the next event with one. */
  readonly lastEventId: string | undefined;
  /** How long to wait before the stream is resumed, ms, if the server has said it. */
  readonly retryMs: number | undefined;
  readonly hasData: boolean;
}

export interface EventStreamHandlers {
  /** A part of the data of the event that is being read. */
  readonly data: (part: Buffer) => void;
  readonly end: (event: EventEnd) => void;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** Lines that are not data are ids and names. Longer ones are ignored. */
const maxField = 8_192;
const joint = Buffer.from('\n');
const dataName = Buffer.from('data:');

/** Reads server-sent events as the HTML standard describes, section 9.2.6. */
export class EventStream {
  readonly #handlers: EventStreamHandlers;
  /** The beginning of the current line, until it is known whether it is data. */
  #line: Buffer = Buffer.alloc(0);
  #inData = false;
  #lineTooLong = false;
  #afterCarriageReturn = false;
  #isFirstLine = true;
  #type = '';
  #lastEventId: string | undefined;
  #retryMs: number | undefined;
  #hasData = false;
  #isAtBoundary = true;

  constructor(handlers: EventStreamHandlers) {
    this.#handlers = handlers;
  }

  /** Whether the last event is complete. */
  get isAtBoundary(): boolean {
    return this.#isAtBoundary;
  }

  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  push(chunk: Buffer): void {
    let at = 0;
    if (this.#afterCarriageReturn && chunk[0] === lineFeed) at = 1;
    if (chunk.length > 0) this.#afterCarriageReturn = false;
    let nextReturn = chunk.indexOf(carriageReturn, at);
    while (at < chunk.length) {
      if (nextReturn >= 0 && nextReturn < at) nextReturn = chunk.indexOf(carriageReturn, at);
      const nextFeed = chunk.indexOf(lineFeed, at);
      const end = nextFeed < 0 || (nextReturn >= 0 && nextReturn < nextFeed) ? nextReturn : nextFeed;
      this.#take(chunk.subarray(at, end < 0 ? undefined : end));
      if (end < 0) return;
      this.#endLine();
      at = end + 1;
      if (chunk[end] !== carriageReturn) continue;
      if (at === chunk.length) this.#afterCarriageReturn = true;
      else if (chunk[at] === lineFeed) at++;
    }
  }

  #take(part: Buffer): void {
    if (part.length === 0) return;
    this.#isAtBoundary = false;
    if (this.#inData) return this.#handlers.data(part);
    if (this.#line.length + part.length > maxField && !this.#mayBeData(part)) this.#lineTooLong = true;
    if (this.#lineTooLong) return;
    this.#line = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
    if (this.#isFirstLine && this.#line.length >= 3) {
      this.#isFirstLine = false;
      if (this.#line[0] === 0xef && this.#line[1] === 0xbb && this.#line[2] === 0xbf)
        this.#line = this.#line.subarray(3);
    }
    // The character after the colon belongs to the line's form if it is a space.
    if (this.#line.length > dataName.length && this.#line.subarray(0, dataName.length).equals(dataName)) {
      const from = this.#line[dataName.length] === 0x20 ? dataName.length + 1 : dataName.length;
      this.#beginData();
      const value = this.#line.subarray(from);
      this.#line = Buffer.alloc(0);
      if (value.length > 0) this.#handlers.data(value);
    }
  }

  #mayBeData(part: Buffer): boolean {
    return Buffer.concat([this.#line, part.subarray(0, 16)])
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, '')
      .startsWith('data:');
  }

  #beginData(): void {
    if (this.#hasData) this.#handlers.data(joint);
    this.#hasData = true;
    this.#inData = true;
  }

  #endLine(): void {
    const line = this.#line.toString();
    const [wasData, wasTooLong] = [this.#inData, this.#lineTooLong];
    this.#line = Buffer.alloc(0);
    this.#inData = false;
    this.#lineTooLong = false;
    this.#isFirstLine = false;
    if (wasData || wasTooLong) return;
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') {
      this.#beginData();
      this.#inData = false;
    } else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.#lastEventId = value === '' ? undefined : value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.#retryMs = Number(value);
  }

  #dispatch(): void {
    const [type, hasData] = [this.#type || 'message', this.#hasData];
    this.#type = '';
    this.#hasData = false;
    this.#isAtBoundary = true;
    this.#handlers.end({ type, hasData, lastEventId: this.#lastEventId, retryMs: this.#retryMs });
  }
}
