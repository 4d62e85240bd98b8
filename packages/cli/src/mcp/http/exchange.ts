import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { errorResponse } from '../answer.ts';
import { type RequestId, rpcErrors, type ToolCall } from '../client-message.ts';
import { ServerUnreachable } from '../server-unreachable.ts';
import { AnswerFilter, type AnswerFilterParts, type Pending } from './answer-filter.ts';
import { ClientSession, newSession } from './client-session.ts';
import { passedToClient, passedToServer } from './passed-headers.ts';
import type { ReplyTo } from './reply.ts';
import { metadataHeaders } from './request-metadata.ts';
import { isWithoutSessions, type OutgoingMessage, statedRevision } from './revision.ts';
import { errorOf, eventsOf, isEventStream, MessageTooLarge, onOneLine } from './server-events.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

/** What all requests of a listener share. */
export interface ExchangeParts extends AnswerFilterParts {
  readonly upstream: Upstream;
}

/** One message of an HTTP client, and the server's answer. */
export class Exchange {
  readonly #method: UpstreamRequest['method'];
  readonly #headers: IncomingHttpHeaders;
  readonly #session: ClientSession;
  readonly #reply: ReplyTo;
  readonly #parts: ExchangeParts;
  readonly #answers: AnswerFilter;

  constructor({ method, headers }: IncomingMessage, reply: ReplyTo, parts: ExchangeParts) {
    this.#method = method as UpstreamRequest['method'];
    this.#headers = headers;
    this.#session = new ClientSession(headers);
    this.#reply = reply;
    this.#parts = parts;
    this.#answers = new AnswerFilter(this.#session, parts);
  }

  /** Gates a call, and passes it on if it may run. */
  async call(call: ToolCall): Promise<void> {
    const key = this.#session.keyOf(call.id);
    let passed: Promise<void> | undefined;
    await this.#parts.calls.run(key, call, {
      session: this.#session.scope,
      sessionDigest: this.#session.digest,
      clientGone: this.#reply.gone,
      onPending: () => this.#reply.wait(),
      send: (message) => {
        if ('method' in message) this.#reply.notify(message);
        else this.#reply.answer(JSON.stringify(message));
      },
      forward: async (text) => {
        passed = this.#ask(text, call.id);
      },
    });
    await passed;
    // The client of a call that was cancelled gets no message.
    this.#reply.finish();
  }

  /** Passes a request on that is not a call. */
  async request(body: Buffer, id: RequestId, method: string): Promise<void> {
    const refusal = this.#parts.calls.otherRequest(this.#session.keyOf(id), method);
    if (refusal === undefined) return await this.#ask(body, id);
    this.#parts.refused('client', refusal);
    this.#reply.answer(JSON.stringify(errorResponse(id, rpcErrors.invalidRequest, refusal)), 400);
  }

  /** The client cancels a request. */
  async cancel(id: RequestId, body: Buffer): Promise<void> {
    if (this.#parts.calls.cancel(this.#session.keyOf(id))) await this.pass(body);
    else this.#reply.finish();
  }

  /** Passes on what is not a request of JSON-RPC: a notification, a response of the client, or a request of HTTP without a body. */
  async pass(body?: Buffer): Promise<void> {
    if (this.#method === 'DELETE' && this.#session.isOwn) return this.#reply.finish(200);
    const event = this.#headers['last-event-id'];
    const resumed =
      this.#method === 'GET' && typeof event === 'string'
        ? this.#parts.resumptions.find(this.#session.scope, event)
        : undefined;
    try {
      const answer = await this.#send(body, parsed(body), this.#reply.gone);
      await this.#relay(answer, resumed, this.#method === 'GET' && event !== undefined);
      this.#reply.finish();
    } catch (error) {
      // A stream without an end is continued by the client.
      if (this.#reply.hasBegun) this.#reply.break();
      else
        this.#reply.answer(
          JSON.stringify(errorResponse(null, rpcErrors.connectionClosed, whyOf(error))),
          502,
        );
    }
  }

  /** Sends a request to the server, and passes its answer to the client. Never rejects. */
  async #ask(body: string | Buffer, id: RequestId): Promise<void> {
    const message = parsed(body)!;
    const pending: Pending = {
      id,
      key: this.#session.keyOf(id),
      method: message.method,
      withoutSessions: isWithoutSessions(statedRevision(message)),
      isAnswered: false,
    };
    const stop = new AbortController();
    const onGone = () => this.#clientGone(pending, stop);
    if (this.#reply.gone.aborted) onGone();
    else this.#reply.gone.addEventListener('abort', onGone, { once: true });
    try {
      await this.#relay(await this.#send(body, message, stop.signal), pending, false);
      if (pending.isAnswered) this.#reply.finish();
      else if (this.#isResumable(pending)) this.#reply.finish();
      else this.#fail(pending, 'SERVER_ENDED', 'the server ended before it answered');
    } catch (error) {
      if (pending.isAnswered) this.#reply.break();
      else if (this.#isResumable(pending) && !(error instanceof MessageTooLarge)) this.#reply.break();
      else this.#fail(pending, 'SERVER_UNREACHABLE', whyOf(error));
    } finally {
      // The answer to a call may come in another stream. Of other requests there is no record that would wait for it.
      if (!pending.isAnswered && pending.method !== 'tools/call')
        this.#parts.calls.answered(pending.key, { end: {} });
    }
  }

  /** A client that goes has not cancelled its call, and the record of the call needs the answer. */
  #clientGone(pending: Pending, stop: AbortController): void {
    const isCall = pending.method === 'tools/call';
    if (isCall && pending.withoutSessions) this.#parts.calls.cancel(pending.key);
    // The server must learn that this stream has ended, if the client is to continue it.
    if (!isCall || pending.withoutSessions || this.#isResumable(pending)) stop.abort();
  }

  #isResumable(pending: Pending): boolean {
    return !pending.withoutSessions && this.#parts.resumptions.has(pending);
  }

  /**
   * Passes the server's answer to the client.
   *
   * @param pending the request that it answers
   * @param isResumed whether it continues a stream that was broken
   */
  async #relay(answer: IncomingMessage, pending: Pending | undefined, isResumed: boolean): Promise<void> {
    const status = answer.statusCode!;
    const headers = this.#headersFor(answer, pending);
    // A server that does not continue a stream may still answer in the stream's first part, or in a later one.
    if (status >= 400) return await this.#relayFailure(answer, isResumed ? undefined : pending, headers);
    if (!isEventStream(answer)) {
      for await (const { data } of eventsOf(answer))
        if (this.#answers.passes(data, pending, isResumed))
          return this.#reply.answer(onOneLine(data), status, headers);
      if (pending === undefined) this.#reply.finish(status, headers);
      return;
    }
    this.#reply.begin(headers);
    for await (const event of eventsOf(answer)) {
      if (event.id !== undefined && pending?.isAnswered === false && this.#reply.canResume)
        this.#parts.resumptions.sent(this.#session.scope, event.id, pending);
      await this.#reply.event(this.#answers.passing(event, pending, isResumed));
    }
  }

  async #relayFailure(
    answer: IncomingMessage,
    pending: Pending | undefined,
    headers: OutgoingHttpHeaders,
  ): Promise<void> {
    const status = answer.statusCode!;
    let error: unknown;
    for await (const { data } of eventsOf(answer)) error ??= errorOf(data);
    if (pending !== undefined) this.#answers.end(pending, { status: 'failure', errorCode: `HTTP_${status}` });
    const id = pending?.id ?? null;
    const message =
      error === undefined
        ? errorResponse(id, rpcErrors.connectionClosed, `the server answered ${status}`)
        : { jsonrpc: '2.0', id, error };
    this.#reply.answer(JSON.stringify(message), status, headers);
  }

  #fail(pending: Pending, errorCode: string, why: string): void {
    this.#answers.end(pending, { status: 'failure', errorCode });
    this.#reply.answer(JSON.stringify(errorResponse(pending.id, rpcErrors.connectionClosed, why)), 502);
  }

  #headersFor(answer: IncomingMessage, pending: Pending | undefined): OutgoingHttpHeaders {
    const headers = passedToClient(answer.headers);
    const needsSession = pending?.method === 'initialize' && answer.statusCode === 200;
    return needsSession ? { 'mcp-session-id': newSession(), ...headers } : headers;
  }

  async #send(
    body: string | Buffer | undefined,
    message: OutgoingMessage | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { upstream, parameterHeaders } = this.#parts;
    const { ofServer } = this.#session;
    const headers = {
      ...passedToServer(this.#headers),
      ...(ofServer !== undefined && { 'mcp-session-id': ofServer }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(message !== undefined && metadataHeaders(message, parameterHeaders)),
    };
    return await upstream.send({ method: this.#method, headers, body, signal });
  }
}

function parsed(body: string | Buffer | undefined): OutgoingMessage | undefined {
  return body === undefined ? undefined : (JSON.parse(body.toString()) as OutgoingMessage);
}

function whyOf(error: unknown): string {
  return error instanceof ServerUnreachable ? error.message : 'the server could not be reached';
}
