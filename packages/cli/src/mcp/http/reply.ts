import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ServerEvent } from './server-events.ts';

/** A comment keeps clients and proxies from ending a connection that is silent, ms. */
const keepAliveMs = 15_000;

/** Where the answer to one message goes. */
export interface ReplyTo {
  /** Aborted when the client goes before it has the whole answer. */
  readonly gone: AbortSignal;
  /** Whether a stream of events has the ids that the client needs to continue it. */
  readonly canResume: boolean;
  /** Whether the status can't be changed any more. */
  readonly hasBegun: boolean;
  /** Begins a stream of events, unless it has begun. */
  begin(headers?: OutgoingHttpHeaders): void;
  /** Begins a stream of events if the client takes one, and keeps it from being silent. */
  wait(): void;
  /** Sends an event. Resolves when the client has taken it, or has gone. */
  event(event: ServerEvent): Promise<void>;
  /** Sends a message of the proxy that is not the answer. A client that takes no events does not get it. */
  notify(message: object): void;
  /** Sends the answer, and ends. */
  answer(json: string, status?: number, headers?: OutgoingHttpHeaders): void;
  /** Ends without a message. */
  finish(status?: number, headers?: OutgoingHttpHeaders): void;
  /** Breaks the connection, so that the client knows that its part is not the whole. */
  break(): void;
}

/** The HTTP answer to a client: one message as JSON, or a stream of events. */
export class Reply implements ReplyTo {
  readonly canResume = true;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();
  /** Whether the client takes a stream of events. */
  readonly takesEvents: boolean;
  #keepAlive: NodeJS.Timeout | undefined;

  /** @param accept the client's header `Accept` */
  constructor(response: ServerResponse, accept: string | undefined) {
    this.#response = response;
    this.takesEvents = accept?.includes('text/event-stream') === true;
    response.once('close', () => {
      clearInterval(this.#keepAlive);
      if (!response.writableFinished) this.#gone.abort();
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  get #isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  begin(headers: OutgoingHttpHeaders = {}): void {
    if (this.#isOver || this.hasBegun) return;
    this.#response.writeHead(200, {
      'x-accel-buffering': 'no',
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
    });
    this.#response.flushHeaders();
  }

  wait(): void {
    if (!this.takesEvents || this.#isOver) return;
    this.begin();
    const comment = () => void this.#response.write(': the call waits for an approval\n\n');
    comment();
    this.#keepAlive ??= setInterval(comment, keepAliveMs);
  }

  async event({ data, id, retryMs }: ServerEvent): Promise<void> {
    clearInterval(this.#keepAlive);
    if (this.#isOver) return;
    let text = retryMs === undefined ? '' : `retry: ${retryMs}\n`;
    if (id !== undefined) text += `id: ${id}\n`;
    // A client learns the id of an event without a message only if there is a line of data.
    if (data !== '' || id !== undefined) text += `data: ${data}\n`;
    if (!this.#response.write(`${text}\n`))
      await Promise.race([once(this.#response, 'drain'), once(this.#response, 'close')]).catch(() => {});
  }

  notify(message: object): void {
    if (!this.takesEvents || this.#isOver) return;
    this.begin();
    this.#response.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  answer(json: string, status = 200, headers: OutgoingHttpHeaders = {}): void {
    if (this.#isOver) return;
    if (this.hasBegun) this.#response.end(`data: ${json}\n\n`);
    else {
      const length = String(Buffer.byteLength(json));
      const all = { ...headers, 'content-type': 'application/json', 'content-length': length };
      this.#response.writeHead(status, all).end(json);
    }
  }

  finish(status = 202, headers: OutgoingHttpHeaders = {}): void {
    if (this.#isOver) return;
    if (!this.hasBegun) this.#response.writeHead(status, headers);
    this.#response.end();
  }

  break(): void {
    this.#response.destroy();
  }
}
