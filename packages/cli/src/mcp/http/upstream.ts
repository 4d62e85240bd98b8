import {
  Agent as HttpAgent,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { proxyEnvironment } from '@tallystick/protocol';
import { ServerUnreachable } from '../server-unreachable.ts';

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/** A socket that has been idle for this long is closed: a server may be about to close it, and a call can't be sent twice, ms. */
const idleMs = 2_000;
const maxRedirects = 5;

/**
 * The HTTP server behind the proxy. Node's own client and not `fetch`: `fetch` unpacks bodies, ends a stream that is silent for five
 * minutes, and obeys the variables for proxies only with a flag.
 */
export class Upstream {
  readonly url: URL;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent: HttpAgent | HttpsAgent;

  /** @param headers sent with each request, such as credentials; they replace those of the client */
  constructor(url: URL, headers: OutgoingHttpHeaders, env: Parameters<typeof proxyEnvironment>[0]) {
    this.url = url;
    this.#headers = headers;
    const proxyEnv = proxyEnvironment(env);
    const options = { keepAlive: true, timeout: idleMs, ...(proxyEnv && { proxyEnv }) };
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /**
   * Sends a request, and resolves with the head of the answer. Redirects are followed inside the origin, where they keep method and
   * body. A server that redirects has not read the message.
   *
   * @throws {ServerUnreachable} if there is no answer, or it is a redirect to another place, or it is encoded
   */
  async send(request: UpstreamRequest): Promise<IncomingMessage> {
    let url = this.url;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const answer = await this.#sendTo(url, request);
      const location = redirectOf(answer, request.method);
      if (location === undefined) {
        const encoding = answer.headers['content-encoding'];
        if (encoding === undefined || encoding === 'identity') return answer;
        answer.destroy();
        throw new ServerUnreachable('the server encodes its answers, although it was asked not to');
      }
      answer.resume();
      const target = URL.parse(location, url);
      if (target?.origin !== this.url.origin) {
        const where = target === null ? 'an address that is not valid' : target.origin;
        throw new ServerUnreachable(
          `the server redirects to ${where}; if it may have the credentials, name its address with --url`,
        );
      }
      const keepsMethod = answer.statusCode === 307 || answer.statusCode === 308 || request.method === 'GET';
      if (!keepsMethod)
        throw new ServerUnreachable(
          `the server redirects to ${target.pathname} with status ${answer.statusCode}; name that address with --url`,
        );
      url = target;
    }
    throw new ServerUnreachable(`the server redirects more than ${maxRedirects} times`);
  }

  async #sendTo(url: URL, { method, headers, body, signal }: UpstreamRequest): Promise<IncomingMessage> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const options = {
      method,
      signal,
      agent: this.#agent,
      headers: {
        ...headers,
        ...this.#headers,
        // The proxy reads every answer.
        'accept-encoding': 'identity',
        ...(bytes !== undefined && { 'content-length': String(bytes.length) }),
      },
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
    request.on('error', (cause: NodeJS.ErrnoException) => {
      reject(new ServerUnreachable(`the server can't be reached: ${cause.code ?? cause.name}`, { cause }));
    });
    request.once('response', resolve);
    request.end(bytes);
    return await promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Where the answer redirects to; `undefined` for a status such as 304, which no further request follows. */
function redirectOf(answer: IncomingMessage, method: string): string | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(answer.statusCode!) && method !== 'OPTIONS';
  return isRedirect ? (answer.headers.location ?? '') : undefined;
}
