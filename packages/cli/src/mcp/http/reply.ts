import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorResponse } from '../answer.ts';
import { type RequestId, rpcErrors } from '../client-message.ts';
import { type AnswerReader, isEventStream } from './answer-reader.ts';
import { endToEndHeaders } from './end-to-end-headers.ts';

/** A comment keeps clients and proxies from ending a connection that is silent, ms. */
const keepAliveMs = 15_000;
/** An answer that becomes an event is held. */
const maxHeld = 128 * 1024 * 1024;

/**
 * The HTTP answer to one message of a client: that of the server, or one of the proxy itself. While a call waits for an approval the
 * proxy begins a stream of events, and the server's answer continues it.
 */
export class Reply {
  readonly #response: ServerResponse;
  readonly #takesEvents: boolean;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, { accept }: { readonly accept?: string | undefined }) {
    this.#response = response;
    this.#takesEvents = accept?.includes('text/event-stream') === true;
    response.once('close', () => clearInterval(this.#keepAlive));
  }

  /** Begins a stream of events, if the client takes one. */
  beginEvents(): void {
    if (!this.#takesEvents || this.#response.headersSent) return;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const comment = () => void this.#response.write(': the call waits for an approval\n\n');
    comment();
    this.#keepAlive = setInterval(comment, keepAliveMs);
  }

  /** Sends a message of the proxy: a notification, or the answer, which ends the reply. */
  send(message: object, status = 200): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const json = JSON.stringify(message);
    const isNotification = 'method' in message;
    if (isNotification) this.beginEvents();
    if (this.#response.headersSent) this.#response.write(`data: ${json}\n\n`);
    if (isNotification) return;
    if (!this.#response.headersSent) {
      const length = String(Buffer.byteLength(json));
      this.#response.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
      this.#response.write(json);
    }
    this.#response.end();
  }

  /** Ends a reply without a message. */
  finish(): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    clearInterval(this.#keepAlive);
    if (!this.#response.headersSent) this.#response.writeHead(202);
    this.#response.end();
  }

  /**
   * Passes the answer of the server on, byte for byte, and shows it to the reader.
   *
   * @param options.drain whether the answer is still read when the client has gone
   * @returns whether the answer was complete
   */
  async relay(
    answer: IncomingMessage,
    reader: AnswerReader,
    options: { readonly id?: RequestId | undefined; readonly drain?: (() => boolean) | undefined } = {},
  ): Promise<boolean> {
    clearInterval(this.#keepAlive);
    if (this.#response.headersSent && !isEventStream(answer))
      return await this.#relayAsEvent(answer, reader, options.id);
    if (!this.#response.headersSent) {
      const { statusCode, statusMessage } = answer;
      this.#response.writeHead(statusCode!, statusMessage, endToEndHeaders(answer.headers, []));
      this.#response.flushHeaders();
    }
    const response = this.#response;
    const onClose = () => {
      if (!response.writableFinished && options.drain?.() !== true) answer.destroy();
    };
    response.once('close', onClose);
    if (response.destroyed) onClose();
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        // The record of the end must not wait for a slow client.
        reader.push(chunk);
        if (!response.destroyed && !response.write(chunk)) await drained(response);
      }
      reader.end();
      return true;
    } catch {
      // The server or the client broke the connection. What the client has is a part, which must not look like the whole.
      response.destroy();
      return false;
    }
  }

  /** The status of the answer can't be passed on any more, because the reply has begun. */
  async #relayAsEvent(
    answer: IncomingMessage,
    reader: AnswerReader,
    id: RequestId | undefined,
  ): Promise<boolean> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        reader.push(chunk);
        length += chunk.length;
        if (length <= maxHeld) chunks.push(chunk);
      }
      reader.end();
    } catch {
      this.#response.destroy();
      return false;
    }
    const body = Buffer.concat(chunks).toString();
    const isOk = answer.statusCode! >= 200 && answer.statusCode! < 300;
    if (isOk && length <= maxHeld && isJson(body)) {
      // Line feeds in JSON are white space, and would end the event's data.
      this.#response.end(`data: ${body.trim().replaceAll(/[\r\n]+/g, ' ')}\n\n`);
    } else {
      const what = isOk
        ? 'the server sent an answer that is not JSON, or is too large'
        : `the server answered ${answer.statusCode}`;
      this.send(errorResponse(id ?? null, rpcErrors.connectionClosed, what));
    }
    return true;
  }
}

async function drained(response: ServerResponse): Promise<void> {
  await Promise.race([once(response, 'drain'), once(response, 'close')]).catch(() => {});
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
