import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ParameterHeaders } from './parameter-headers.ts';
import { metadataHeaders } from './request-metadata.ts';
import { isWithoutSessions, type OutgoingMessage, statedRevision } from './revision.ts';
import type { Upstream } from './upstream.ts';

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

  /** The digest of the session's id, for records. */
  get digest(): string | undefined {
    return this.#id === undefined ? undefined : digestOfSession(this.#id);
  }

  async post(
    body: string | Uint8Array,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const hasSession = message.method !== 'initialize' && !isWithoutSessions(statedRevision(message));
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(hasSession && this.#sessionHeaders()),
      ...metadataHeaders(message, this.parameterHeaders),
    };
    const answer = await this.#upstream.send({ method: 'POST', headers, body, signal });
    const id = answer.headers['mcp-session-id'];
    if (message.method === 'initialize' && typeof id === 'string') this.#id = id;
    return answer;
  }

  /** Opens the stream of what the server says by itself, or continues a stream after an event. */
  async listen(lastEventId: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
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

  #sessionHeaders(): { readonly [name: string]: string } {
    return {
      ...(this.#id !== undefined && { 'mcp-session-id': this.#id }),
      ...(this.#revision !== undefined && { 'mcp-protocol-version': this.#revision }),
    };
  }
}

/** A session's id is a credential, so records have its digest: equal digests are the same session. */
export function digestOfSession(id: string): string {
  return `sha256:${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
