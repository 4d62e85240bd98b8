import { createHash, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestId } from '../client-message.ts';
import { keyOf } from '../open-requests.ts';
import { digestOfSession } from './server-session.ts';

const own = /^tallystick-[0-9a-f-]{36}$/;
let last = 0;

/**
 * Which client a request comes from. Clients choose the ids of their requests, and most begin with 1, so an id belongs to a session. To a
 * client of a server without sessions the proxy gives a session of its own, which the server does not see.
 */
export class ClientSession {
  /** The header. A request without one has a name of its own, so its id is never that of another client's request. */
  readonly #name: string | number;
  /** What the server gets as `Mcp-Session-Id`. */
  readonly ofServer: string | undefined;
  /** Equal for requests that see the same tools. */
  readonly scope: string;

  constructor({ 'mcp-session-id': header, authorization = '' }: IncomingHttpHeaders) {
    const id = header as string | undefined;
    this.#name = id ?? ++last;
    this.ofServer = id === undefined || own.test(id) ? undefined : id;
    this.scope = id ?? `of ${createHash('sha256').update(authorization).digest('hex')}`;
  }

  /** Whether the proxy has given the session to the client. */
  get isOwn(): boolean {
    return typeof this.#name === 'string' && this.ofServer === undefined;
  }

  /** The digest of the session's id, for records. */
  get digest(): string | undefined {
    return typeof this.#name === 'string' ? digestOfSession(this.#name) : undefined;
  }

  /** The key of a request of the session. */
  keyOf(id: RequestId | unknown): string {
    return keyOf([this.#name, id]);
  }
}

/** A session for a client of a server that gives it none. */
export function newSession(): string {
  return `tallystick-${randomUUID()}`;
}
