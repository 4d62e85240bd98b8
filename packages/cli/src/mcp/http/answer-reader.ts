import type { IncomingMessage } from 'node:http';
import { type Answered, ResponseReader } from '../responses.ts';
import { EventStream } from './event-stream.ts';

/** Reads the responses in the body of an HTTP answer while its bytes pass: one message as JSON, or a stream of events. */
export class AnswerReader {
  readonly #onResponse: (answered: Answered) => void;
  readonly #events: EventStream | undefined;
  #message = new ResponseReader();

  constructor(answer: IncomingMessage, onResponse: (answered: Answered) => void) {
    this.#onResponse = onResponse;
    if (!isEventStream(answer)) return;
    this.#events = new EventStream({
      data: (part) => this.#message.push(part),
      end: ({ hasData }) => {
        if (hasData) this.#endMessage();
      },
    });
  }

  push(chunk: Buffer): void {
    if (this.#events === undefined) this.#message.push(chunk);
    else this.#events.push(chunk);
  }

  /** The body is complete. */
  end(): void {
    if (this.#events === undefined) this.#endMessage();
  }

  /** Whether a client could resume the stream. */
  get isResumable(): boolean {
    return this.#events?.lastEventId !== undefined;
  }

  /** Whether a further event can follow. */
  get isBetweenEvents(): boolean {
    return this.#events?.isAtBoundary === true;
  }

  #endMessage(): void {
    const message = this.#message;
    this.#message = new ResponseReader();
    for (const answered of message.responses()) this.#onResponse(answered);
  }
}

export function isEventStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}
