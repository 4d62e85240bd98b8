import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { encodeMirrored } from './mirrored-headers.ts';
import { ParameterHeaders } from './parameter-headers.ts';
import { isWithoutSessions } from './revision.ts';
import type { Upstream } from './upstream.ts';
import type { StreamPosition } from './whole-messages.ts';

/** A message, as far as its headers need it. */
export interface OutgoingMessage {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/** What a client of an HTTP server must remember: the session, the revision, and the parameters that are repeated in headers. */
export class ServerSession {
  readonly #upstream: Upstream;
  readonly parameterHeaders = new ParameterHeaders();
  /** Set by the answer to `initialize`. Owned by this object. */
  #id: string | undefined;
  #revision: string | undefined;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  get hasId(): boolean {
    return this.#id !== undefined;
  }

  /** A session's id is a credential, so records have its digest: equal digests are the same session. */
  get digest(): string | undefined {
    return this.#id === undefined ? undefined : digestOfSession(this.#id);
  }

  async post(
    body: string | Uint8Array,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...this.#headersOf(message),
    };
    const answer = await this.#upstream.send({ method: 'POST', headers, body, signal });
    const id = answer.headers['mcp-session-id'];
    if (message.method === 'initialize' && typeof id === 'string') this.#id = id;
    return answer;
  }

  /** Opens the stream of what the server says by itself, or continues a stream that has ended. */
  async listen({ lastEventId }: StreamPosition, signal: AbortSignal): Promise<IncomingMessage> {
    const headers = {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      ...this.#sessionHeaders(),
    };
    return await this.#upstream.send({ method: 'GET', headers, signal });
  }

  /** Tells the server that the session has ended. */
  async end(signal: AbortSignal): Promise<void> {
    if (this.#id === undefined) return;
    const answer = await this.#upstream.send({ method: 'DELETE', headers: this.#sessionHeaders(), signal });
    answer.resume();
  }

  /** Reads the result of `initialize`. */
  initialized(result: unknown): void {
    const { protocolVersion } = Object(result) as { readonly protocolVersion?: unknown };
    if (typeof protocolVersion === 'string' && /^[\x21-\x7e]{1,64}$/.test(protocolVersion))
      this.#revision = protocolVersion;
  }

  #headersOf(message: OutgoingMessage): { readonly [name: string]: string } {
    const version = statedRevision(message);
    if (!isWithoutSessions(version)) return message.method === 'initialize' ? {} : this.#sessionHeaders();
    const { name, uri, arguments: args } = Object(message.params) as { readonly [name: string]: unknown };
    const subject = name ?? uri;
    return {
      'mcp-protocol-version': version as string,
      ...(typeof message.method === 'string' && { 'mcp-method': message.method }),
      ...(typeof subject === 'string' && { 'mcp-name': encodeMirrored(subject) }),
      ...(message.method === 'tools/call' && this.parameterHeaders.of(name, args)),
    };
  }

  #sessionHeaders(): { readonly [name: string]: string } {
    return {
      ...(this.#id !== undefined && { 'mcp-session-id': this.#id }),
      ...(this.#revision !== undefined && { 'mcp-protocol-version': this.#revision }),
    };
  }
}

/** The revision that a request states, as from 2026-07-28. */
export function statedRevision({ params }: OutgoingMessage): string | undefined {
  const { _meta } = Object(params) as { readonly _meta?: unknown };
  const version = (Object(_meta) as { readonly [name: string]: unknown })[
    'io.modelcontextprotocol/protocolVersion'
  ];
  return typeof version === 'string' && /^[\x21-\x7e]{1,64}$/.test(version) ? version : undefined;
}

export function digestOfSession(id: string): string {
  return `sha256:${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
