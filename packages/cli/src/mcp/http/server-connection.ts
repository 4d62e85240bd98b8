import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { errorResponse } from '../answer.ts';
import { type RequestId, rpcErrors } from '../client-message.ts';
import { keyOf } from '../open-requests.ts';
import type { ServerResponse } from '../server-message.ts';
import { ServerUnreachable } from '../server-unreachable.ts';
import { isWithoutSessions, type OutgoingMessage, statedRevision } from './revision.ts';
import {
  errorOf,
  eventsOf,
  MessageTooLarge,
  onOneLine,
  readHeld,
  type ServerEvent,
} from './server-events.ts';
import { ServerSession } from './server-session.ts';
import type { Upstream } from './upstream.ts';

export interface ServerConnectionParts {
  readonly upstream: Upstream;
  readonly warn: (message: string) => void;
  /** Writes a message of the server, on one line, to the client. Resolves when the client has taken it. */
  readonly write: (line: string) => Promise<void>;
  /** Sends a message of the proxy itself to the client. */
  readonly send: (message: object) => void;
  /** A request has its answer, or gets none any more. */
  readonly onEnded: (response: ServerResponse) => void;
  readonly onToolsChanged: () => void;
  /** A message of the server is not passed on. */
  readonly onDropped: (reason: string) => void;
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
  /** Whether the server, or the proxy in its place, has answered. */
  isAnswered: boolean;
  isCancelled: boolean;
}

/** Where a stream of events continues. */
interface Position {
  lastEventId?: string | undefined;
  retryMs?: number | undefined;
}

/** An HTTP server, for a client that has one connection: requests, their answers, and the stream of what the server says by itself. */
export class ServerConnection {
  readonly #parts: ServerConnectionParts;
  readonly #session: ServerSession;
  readonly #closed = new AbortController();
  /** Requests that the server has not answered, by the keys of their ids. Owned by this object. */
  readonly #pending = new Map<string, Pending>();
  readonly #running = new Set<Promise<void>>();
  #isListening = false;

  constructor(parts: ServerConnectionParts) {
    this.#parts = parts;
    this.#session = new ServerSession(parts.upstream);
  }

  get sessionDigest(): string | undefined {
    return this.#session.digest;
  }

  /** Passes a notification, or a response of the client. Never rejects: a failure is told to the operator. */
  async notify(bytes: Uint8Array | string, message: OutgoingMessage): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(notificationMs)]);
      const answer = await this.#session.post(bytes, message, signal);
      answer.resume();
      const status = answer.statusCode!;
      if (status === 404 && this.#session.hasId) this.#parts.onSessionEnded();
      else if (status >= 400) this.#parts.warn(`the server answered a notification with ${status}`);
      else if (message.method === 'notifications/initialized') void this.#listen();
    } catch (error) {
      if (!this.#closed.signal.aborted)
        this.#parts.warn(`a notification did not arrive: ${(error as Error).message}`);
    }
  }

  /** Sends a request, and passes its answer to the client. If the server does not answer, the client gets an error. */
  request(body: string | Uint8Array, message: OutgoingMessage): void {
    const running = this.#request(body, message).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #request(body: string | Uint8Array, message: OutgoingMessage): Promise<void> {
    const pending: Pending = {
      id: message.id as RequestId,
      method: message.method,
      aborted: new AbortController(),
      withoutSessions: isWithoutSessions(statedRevision(message)),
      isAnswered: false,
      isCancelled: false,
    };
    const key = keyOf(pending.id);
    this.#pending.set(key, pending);
    const signal = AbortSignal.any([this.#closed.signal, pending.aborted.signal]);
    try {
      await this.#readAnswer(pending, await this.#session.post(body, message, signal), signal);
      if (!pending.isAnswered) this.#fail(pending, 'SERVER_ENDED', 'the server ended before it answered');
    } catch (error) {
      if (!pending.isAnswered)
        this.#fail(
          pending,
          'SERVER_UNREACHABLE',
          error instanceof ServerUnreachable ? error.message : 'the server could not be reached',
        );
    } finally {
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    }
  }

  /** The client cancels a request that the server has. Without sessions, closing the answer says so. */
  async cancel(id: RequestId, bytes: Uint8Array): Promise<void> {
    const pending = this.#pending.get(keyOf(id));
    if (pending !== undefined) pending.isCancelled = true;
    if (pending?.withoutSessions === true) pending.aborted.abort();
    else await this.notify(bytes, { method: 'notifications/cancelled' });
  }

  /** Ends the session and all streams. Requests without an answer get an error. */
  async close(): Promise<void> {
    await this.#session.end(AbortSignal.timeout(notificationMs)).catch(() => {});
    this.#closed.abort();
    await Promise.all(this.#running);
    this.#parts.upstream.close();
  }

  async #readAnswer(pending: Pending, first: IncomingMessage, signal: AbortSignal): Promise<void> {
    const position: Position = {};
    let answer: IncomingMessage | undefined = first;
    for (let attempt = 0; ; attempt++) {
      const before = position.lastEventId;
      try {
        answer ??= await this.#session.listen(before, signal);
        if (answer.statusCode! >= 400) return await this.#readFailure(pending, answer);
        for await (const event of eventsOf(answer)) await this.#take(event, position, pending);
      } catch (error) {
        if (position.lastEventId === undefined || signal.aborted || error instanceof MessageTooLarge)
          throw error;
      }
      answer = undefined;
      if (pending.isAnswered || pending.isCancelled || pending.withoutSessions) return;
      if (position.lastEventId !== before) attempt = 0;
      if (position.lastEventId === undefined || attempt >= maxResumptions) return;
      await pause(waitBefore(attempt, position), undefined, { signal });
    }
  }

  async #readFailure(pending: Pending, answer: IncomingMessage): Promise<void> {
    const status = answer.statusCode!;
    let error: unknown;
    try {
      for await (const { data } of eventsOf(answer)) error ??= errorOf(data);
    } catch {
      // The status says enough.
    }
    if (status === 401)
      this.#parts.warn('the server asks for credentials (401): give them with --header "Authorization: …"');
    this.#fail(pending, `HTTP_${status}`, `the server answered ${status}`, error);
    if (status === 404 && this.#session.hasId && !pending.withoutSessions) this.#parts.onSessionEnded();
  }

  /** The request gets no answer. */
  #fail(pending: Pending, errorCode: string, why: string, error?: unknown): void {
    const { id } = pending;
    pending.isAnswered = true;
    this.#parts.onEnded({ id, end: { status: 'failure', errorCode } });
    // A client that has cancelled a request expects no answer.
    if (pending.isCancelled) return;
    if (error === undefined) this.#parts.send(errorResponse(id, rpcErrors.connectionClosed, why));
    else this.#parts.send({ jsonrpc: '2.0', id, error });
  }

  /** @param pending the request in whose answer the event came; none for what the server says by itself */
  async #take({ data, id, retryMs }: ServerEvent, position: Position, pending?: Pending): Promise<void> {
    position.lastEventId = id ?? position.lastEventId;
    position.retryMs = retryMs ?? position.retryMs;
    if (data.trim() === '') return;
    const message = readHeld(data, pending?.method === 'tools/list');
    if (message === undefined) return this.#parts.onDropped('the message is not JSON');
    const [response, ...others] = message.responses;
    if (response !== undefined) {
      const isExpected = keyOf(response.id) === keyOf(pending?.id) && pending?.isAnswered === false;
      if (!isExpected || others.length > 0)
        return this.#parts.onDropped('the message answers another request than the one that was asked');
      pending.isAnswered = true;
      if (pending.method === 'initialize') this.#session.initialized(response.result);
      if (pending.method === 'tools/list') this.#session.parameterHeaders.learn(response.result);
      this.#parts.onEnded(response);
    }
    if (message.toolsChanged) this.#parts.onToolsChanged();
    await this.#parts.write(onOneLine(data));
  }

  /** Reads what the server says by itself, until it offers no such stream. */
  async #listen(): Promise<void> {
    if (this.#isListening) return;
    this.#isListening = true;
    const { signal } = this.#closed;
    const position: Position = {};
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const answer = await this.#session.listen(position.lastEventId, signal);
        if (answer.statusCode === 200) {
          attempt = 0;
          for await (const event of eventsOf(answer)) await this.#take(event, position);
        } else {
          answer.resume();
          if (answer.statusCode === 404 && this.#session.hasId) this.#parts.onSessionEnded();
          // 405: the server has nothing to say by itself.
          if (answer.statusCode! < 500) return;
        }
      } catch {
        // The server can't be reached, or the stream broke: it is opened again.
      }
      await pause(waitBefore(attempt, position), undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** How long to wait before a stream is opened again, ms: what the server says, or a backoff. */
function waitBefore(attempt: number, { retryMs }: Position): number {
  return Math.max(retryMs ?? Math.min(firstBackoffMs * 2 ** attempt, maxBackoffMs), minWaitMs);
}
