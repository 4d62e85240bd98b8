import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { StatedEnd } from '@tallystick/sdk/gate';
import { errorResponse } from '../answer.ts';
import { type RequestId, rpcErrors } from '../client-message.ts';
import { maxParsed, ResponseReader, responsesIn } from '../responses.ts';
import { ServerUnreachable } from '../server-unreachable.ts';
import { isWithoutSessions } from './revision.ts';
import { type OutgoingMessage, ServerSession, statedRevision } from './server-session.ts';
import type { Upstream } from './upstream.ts';
import { readMessages, type StreamPosition } from './whole-messages.ts';

export interface ServerConnectionParts {
  readonly upstream: Upstream;
  readonly warn: (message: string) => void;
  /** A message of the server, on one line. */
  readonly onMessage: (line: Buffer) => void;
  /** Sends a message of the proxy itself to the client. */
  readonly send: (message: object) => void;
  readonly onResponse: (id: unknown, end: StatedEnd) => void;
  readonly onUnanswered: (id: unknown, end: StatedEnd) => void;
  readonly onSessionEnded: () => void;
}

/** Notifications are sent one after the other. One that the server does not take in this time holds up no later message, ms. */
const notificationMs = 10_000;
const maxResumptions = 5;
const firstBackoffMs = 1_000;
const maxBackoffMs = 30_000;
const minWaitMs = 100;

interface Pending {
  readonly id: RequestId;
  readonly method: unknown;
  readonly aborted: AbortController;
  readonly withoutSessions: boolean;
  isAnswered: boolean;
}

/** An HTTP server, for a client that has one connection: requests, their answers, and the stream of what the server says by itself. */
export class ServerConnection {
  readonly #parts: ServerConnectionParts;
  readonly #session: ServerSession;
  readonly #closed = new AbortController();
  /** Requests that the server has not answered, by id. Owned by this object. */
  readonly #pending = new Map<string, Pending>();
  #isListening = false;

  constructor(parts: ServerConnectionParts) {
    this.#parts = parts;
    this.#session = new ServerSession(parts.upstream);
  }

  get sessionDigest(): string | undefined {
    return this.#session.digest;
  }

  /** Passes a message on that is no tool call. A failure is told to the client, or for a notification to the operator. */
  async pass(bytes: Uint8Array, message: OutgoingMessage): Promise<void> {
    const { id, method } = message;
    const isRequest = typeof method === 'string' && (typeof id === 'string' || typeof id === 'number');
    if (isRequest) {
      void this.request(bytes, message).catch((error: unknown) => {
        const why = error instanceof ServerUnreachable ? error.message : 'the server could not be reached';
        this.#parts.send(errorResponse(id, rpcErrors.connectionClosed, why));
      });
      return;
    }
    try {
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(notificationMs)]);
      const answer = await this.#session.post(bytes, message, signal);
      answer.resume();
      const status = answer.statusCode!;
      if (status === 404 && this.#session.hasId) this.#parts.onSessionEnded();
      else if (status >= 400) this.#parts.warn(`the server answered a notification with ${status}`);
      else if (method === 'notifications/initialized') void this.#listen();
    } catch (error) {
      if (!this.#closed.signal.aborted)
        this.#parts.warn(`a notification did not arrive: ${(error as Error).message}`);
    }
  }

  /** Sends a request. Resolves when the server has it and begins to answer. */
  async request(body: string | Uint8Array, message: OutgoingMessage): Promise<void> {
    const pending: Pending = {
      id: message.id as RequestId,
      method: message.method,
      aborted: new AbortController(),
      withoutSessions: isWithoutSessions(statedRevision(message)),
      isAnswered: false,
    };
    const key = JSON.stringify(pending.id);
    this.#pending.set(key, pending);
    const forget = () => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    };
    const signal = AbortSignal.any([this.#closed.signal, pending.aborted.signal]);
    let answer: IncomingMessage;
    try {
      answer = await this.#session.post(body, message, signal);
    } catch (error) {
      forget();
      // The client has cancelled the request and expects no answer.
      if (pending.aborted.signal.aborted) return;
      throw error;
    }
    void this.#readAnswer(pending, answer, signal).finally(forget);
  }

  /** The client cancels a request that the server has. Without sessions, closing the answer says so. */
  async cancel(id: RequestId, bytes: Uint8Array): Promise<void> {
    const pending = this.#pending.get(JSON.stringify(id));
    if (pending?.withoutSessions === true) pending.aborted.abort();
    else await this.pass(bytes, { method: 'notifications/cancelled' });
  }

  /** Ends the session and all streams. */
  async close(): Promise<void> {
    await this.#session.end(AbortSignal.timeout(notificationMs)).catch(() => {});
    this.#closed.abort();
    this.#parts.upstream.close();
  }

  async #readAnswer(pending: Pending, first: IncomingMessage, signal: AbortSignal): Promise<void> {
    const position: StreamPosition = {};
    let answer = first;
    let why = 'the server ended before it answered';
    for (let attempt = 0; ; attempt++) {
      const status = answer.statusCode!;
      if (status >= 400) return await this.#readFailure(pending, answer);
      const before = position.lastEventId;
      try {
        await readMessages(answer, position, (line) => this.#take(line, pending));
      } catch (error) {
        if (error instanceof ServerUnreachable) why = error.message;
      }
      if (pending.isAnswered || signal.aborted) return;
      const canResume = position.lastEventId !== undefined && !pending.withoutSessions;
      if (position.lastEventId !== before) attempt = 0;
      if (!canResume || attempt >= maxResumptions) return this.#fail(pending, 'SERVER_ENDED', why);
      const next = await this.#resume(position, attempt, signal);
      if (next === undefined) return this.#fail(pending, 'SERVER_ENDED', why);
      answer = next;
    }
  }

  /** The next part of a stream that has ended; `undefined` if it can't be had. */
  async #resume(
    position: StreamPosition,
    attempt: number,
    signal: AbortSignal,
  ): Promise<IncomingMessage | undefined> {
    try {
      await pause(waitBefore(attempt, position), undefined, { signal });
      return await this.#session.listen(position, signal);
    } catch {
      return undefined;
    }
  }

  async #readFailure(pending: Pending, answer: IncomingMessage): Promise<void> {
    const status = answer.statusCode!;
    const position: StreamPosition = {};
    let error: unknown;
    await readMessages(answer, position, (line) => {
      error ??= errorIn(line);
    }).catch(() => {});
    if (status === 401)
      this.#parts.warn('the server asks for credentials (401): give them with --header "Authorization: …"');
    pending.isAnswered = true;
    const { id } = pending;
    this.#parts.onUnanswered(id, { status: 'failure', errorCode: `HTTP_${status}` });
    if (error === undefined)
      this.#parts.send(errorResponse(id, rpcErrors.connectionClosed, `the server answered ${status}`));
    else this.#parts.send({ jsonrpc: '2.0', id, error });
    if (status === 404 && this.#session.hasId && !pending.withoutSessions) this.#parts.onSessionEnded();
  }

  #fail(pending: Pending, errorCode: string, why: string): void {
    const { id } = pending;
    this.#parts.onUnanswered(id, { status: 'failure', errorCode });
    this.#parts.send(errorResponse(id, rpcErrors.connectionClosed, why));
  }

  /** A message of the server. */
  #take(line: Buffer, asked?: Pending): void {
    const small = line.length <= maxParsed;
    const responses = small ? responsesIn(line) : outlineOf(line);
    if (responses === undefined) {
      this.#parts.warn('the server sent a message that is not JSON; it was dropped');
      return;
    }
    for (const { id, end, result } of responses) {
      const pending = this.#pending.get(JSON.stringify(id)) ?? (asked?.id === id ? asked : undefined);
      if (pending !== undefined) pending.isAnswered = true;
      if (pending?.method === 'initialize') this.#session.initialized(result);
      if (pending?.method === 'tools/list') this.#session.parameterHeaders.learn(result);
      this.#parts.onResponse(id, end);
    }
    this.#parts.onMessage(line);
  }

  /** Reads what the server says by itself, until it offers no such stream. */
  async #listen(): Promise<void> {
    if (this.#isListening) return;
    this.#isListening = true;
    const { signal } = this.#closed;
    const position: StreamPosition = {};
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const answer = await this.#session.listen(position, signal);
        if (answer.statusCode !== 200) {
          answer.resume();
          if (answer.statusCode === 404 && this.#session.hasId) this.#parts.onSessionEnded();
          // 405: the server has nothing to say by itself.
          if (answer.statusCode! < 500) return;
        } else {
          attempt = 0;
          await readMessages(answer, position, (line) => this.#take(line));
        }
      } catch {
        // The server can't be reached, or the stream broke: it is opened again.
      }
      await pause(waitBefore(attempt, position), undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** How long to wait before a stream is opened again, ms: what the server says, or a backoff. */
function waitBefore(attempt: number, { retryMs }: StreamPosition): number {
  return Math.max(retryMs ?? Math.min(firstBackoffMs * 2 ** attempt, maxBackoffMs), minWaitMs);
}

function outlineOf(line: Buffer): ReturnType<ResponseReader['responses']> {
  const reader = new ResponseReader();
  reader.push(line);
  return reader.responses();
}

/** The error of a JSON-RPC error response. */
function errorIn(line: Buffer): unknown {
  try {
    const { error } = Object(JSON.parse(line.toString())) as { readonly error?: unknown };
    const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
    return Number.isSafeInteger(code) && typeof message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
