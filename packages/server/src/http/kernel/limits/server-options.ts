import type { Socket } from 'node:net';
import type { FastifyServerOptions } from 'fastify';
import { HttpProblem } from '../problems.ts';

/** How long a client may take, in ms, and how many connections there may be. */
export interface ServerTimeouts {
  /** Time for the headers of a request. @defaultValue 10000 */
  readonly headersMs: number;
  /** Time for a whole request, body included. @defaultValue 60000 */
  readonly requestMs: number;
  /** Time for the next request on an open connection. @defaultValue 72000 */
  readonly keepAliveMs: number;
  /**
   * Time without a byte in either direction. It must exceed the interval between heartbeats of streams.
   * @defaultValue 120000
   */
  readonly idleMs: number;
  /** How often the server enforces `headersMs` and `requestMs`. @defaultValue 5000 */
  readonly checkEveryMs: number;
  /** Most connections at once. @defaultValue 2000 */
  readonly maxConnections: number;
  /**
   * Most connections over which no API key has been shown yet. One more closes the oldest of them. @defaultValue 1000
   */
  readonly maxUnauthenticated: number;
}

export const defaultTimeouts: ServerTimeouts = Object.freeze({
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 72_000,
  idleMs: 120_000,
  checkEveryMs: 5_000,
  maxConnections: 2_000,
  maxUnauthenticated: 1_000,
});

/** Fastify's options for the timeouts. */
export function serverOptions(given: Partial<ServerTimeouts> = {}): FastifyServerOptions {
  const timeouts = { ...defaultTimeouts, ...given };
  return {
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionTimeout: timeouts.idleMs,
    http: {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkEveryMs,
    },
    // A hook answers requests that arrive while the app closes, with a problem document.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512 },
  } as FastifyServerOptions;
}

const problems: { readonly [code: string]: HttpProblem } = {
  ERR_HTTP_REQUEST_TIMEOUT: new HttpProblem('REQUEST_TIMEOUT', 'the request took too long to arrive'),
  HPE_HEADER_OVERFLOW: new HttpProblem('HEADERS_TOO_LARGE', 'the headers are too large'),
};
const malformed = new HttpProblem('REQUEST_MALFORMED', 'the request is not valid HTTP');

/** Answers bytes that Node could not parse as a request, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problems[error.code ?? ''] ?? malformed;
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.toJSON().title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
