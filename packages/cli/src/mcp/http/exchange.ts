import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorResponse } from '../answer.ts';
import { rpcErrors, type ToolCall } from '../client-message.ts';
import type { Answered } from '../responses.ts';
import { ServerUnreachable } from '../server-unreachable.ts';
import type { ToolCalls } from '../tool-calls.ts';
import { AnswerReader } from './answer-reader.ts';
import type { CallKeys } from './call-keys.ts';
import { endToEndHeaders } from './end-to-end-headers.ts';
import { Reply } from './reply.ts';
import { isWithoutSessions } from './revision.ts';
import { digestOfSession } from './server-session.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

/** What the requests of a listener share. */
export interface ExchangeParts {
  readonly upstream: Upstream;
  readonly calls: ToolCalls;
  readonly keys: CallKeys;
}

/** One request of an HTTP client, and its answer. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #session: string | undefined;
  readonly reply: Reply;

  constructor(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts) {
    this.#parts = parts;
    this.#request = request;
    this.#response = response;
    this.#session = request.headers['mcp-session-id'] as string | undefined;
    this.reply = new Reply(response, request.headers);
  }

  /** Passes the request on, and the answer back. */
  async pass(body?: Uint8Array): Promise<void> {
    const aborted = new AbortController();
    this.#onClientGone(() => aborted.abort());
    try {
      const answer = await this.#send(body, aborted.signal);
      await this.reply.relay(answer, this.#readerOf(answer, this.#answered));
    } catch (error) {
      const why = error instanceof ServerUnreachable ? error.message : 'the server could not be reached';
      this.reply.send(errorResponse(null, rpcErrors.connectionClosed, why), 502);
    }
  }

  /** Gates a call, and passes it on if it may run. */
  async call(call: ToolCall): Promise<void> {
    const { calls, keys } = this.#parts;
    const key = keys.open(this.#session, call.id);
    const aborted = new AbortController();
    let wasForwarded = false;
    const closesCancel = isWithoutSessions(this.#request.headers['mcp-protocol-version']);
    this.#onClientGone(() => {
      if (!calls.clientGone(key) || !closesCancel) return;
      calls.cancel(key);
      aborted.abort();
    });
    try {
      await calls.run(key, call, {
        sessionId: this.#session === undefined ? undefined : digestOfSession(this.#session),
        onPending: () => this.reply.beginEvents(),
        send: (message) => this.reply.send(message),
        forward: async (text) => {
          wasForwarded = true;
          const answer = await this.#send(text, aborted.signal);
          void this.#relayCall(call, key, answer, closesCancel).finally(() =>
            keys.close(this.#session, call.id, key),
          );
        },
      });
    } finally {
      if (!wasForwarded) keys.close(this.#session, call.id, key);
    }
    // A call that the client has cancelled gets no message.
    if (!wasForwarded) this.reply.finish();
  }

  /** The client cancels a call. */
  async cancel(id: unknown, body: Uint8Array): Promise<void> {
    const key = this.#parts.keys.find(this.#session, id);
    if (key === undefined || this.#parts.calls.cancel(key)) await this.pass(body);
    else this.reply.finish();
  }

  async #relayCall(
    call: ToolCall,
    key: string,
    answer: IncomingMessage,
    closesCancel: boolean,
  ): Promise<void> {
    const { calls } = this.#parts;
    let isAnswered = false;
    const reader = this.#readerOf(answer, (answered) => {
      if (JSON.stringify(answered.id) !== JSON.stringify(call.id)) return this.#answered(answered);
      isAnswered = true;
      calls.answered(key, answered.end);
    });
    // A client that goes has not cancelled the call. The answer is read to its end, for the record. If the client can resume the
    // stream, the server must learn that this connection has ended.
    const drain = () => !closesCancel && !isAnswered && !reader.isResumable;
    const isComplete = await this.reply.relay(answer, reader, { id: call.id, drain });
    if (isAnswered) return;
    const status = answer.statusCode!;
    if (status >= 400) return calls.unanswered(key, { status: 'failure', errorCode: `HTTP_${status}` });
    // The answer may come in a stream that the client resumes.
    if (reader.isResumable && !closesCancel) return;
    calls.unanswered(key, { status: 'failure', errorCode: 'SERVER_ENDED' });
    const what = 'the server ended before it answered';
    if (isComplete && reader.isBetweenEvents)
      this.reply.send(errorResponse(call.id, rpcErrors.connectionClosed, what));
  }

  #readerOf(answer: IncomingMessage, onResponse: (answered: Answered) => void): AnswerReader {
    return new AnswerReader(answer, onResponse);
  }

  /** A response in a stream that is not that of its call: the stream was resumed, or the server pretends to answer. */
  readonly #answered = ({ id, end }: Answered): void => {
    const key = this.#parts.keys.find(this.#session, id);
    if (key !== undefined) this.#parts.calls.answered(key, end);
  };

  async #send(body: string | Uint8Array | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const { headers, method } = this.#request;
    const written = [
      'host',
      'content-length',
      'content-type',
      'content-encoding',
      'accept-encoding',
      'expect',
    ];
    return await this.#parts.upstream.send({
      method: method as UpstreamRequest['method'],
      headers: {
        ...endToEndHeaders(headers, written),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body,
      signal,
    });
  }

  #onClientGone(act: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) act();
    });
  }
}
