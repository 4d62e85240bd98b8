import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readResponse } from './http-response.ts';
import { type Batch, type ItemResult, type Transport, TransportError } from './transport.ts';

/** A key, or where to get it: asked once, and again with `refresh: true` when the service refused the last one. */
export type Credential = string | ((options: { readonly refresh: boolean }) => string | Promise<string>);

export interface HttpTransportOptions {
  /** The audit service's address, for example `https://audit.example.com`. */
  readonly url: string | URL;
  /** Sent as a bearer token. @defaultValue none */
  readonly apiKey?: Credential;
  /** How long one request may take in all, in ms. @defaultValue 15000 */
  readonly timeoutMs?: number;
  /** Bodies from this size on are compressed. `Infinity`: none. @defaultValue 8192 */
  readonly gzipFromBytes?: number;
}

export const httpDefaults = Object.freeze({ timeoutMs: 15_000, gzipFromBytes: 8_192 });

/** An answer holds a receipt an event, some 400 bytes each, for 1,000 events at most. */
const maxAnswerBytes = 16 * 1024 * 1024;
const compress = promisify(gzip);

/**
 * Sends batches to the audit service over HTTP, on one kept-alive connection. An event that it reports as `chained`
 * is committed in the service's database; `accepted`, in its queue.
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(options);
}

class HttpTransport implements Transport {
  readonly #url: URL;
  readonly #options: Required<Omit<HttpTransportOptions, 'apiKey'>>;
  readonly #credential: Credential | undefined;
  readonly #agent: HttpAgent;
  #token: string | undefined;

  constructor(options: HttpTransportOptions) {
    this.#options = { ...httpDefaults, ...options };
    this.#credential = options.apiKey;
    const base = String(options.url);
    this.#url = new URL('v1/audit/events/batch', base.endsWith('/') ? base : `${base}/`);
    if (this.#url.protocol !== 'https:' && this.#url.protocol !== 'http:') {
      throw new TypeError('the url of an audit service must begin with https: or http:');
    }
    // Idle sockets of an agent do not keep the process alive.
    const sockets = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(sockets) : new HttpAgent(sockets);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    const text = `{"delivery":${JSON.stringify(batch.delivery)},"events":[${batch.events.join(',')}]}`;
    let body: Buffer = Buffer.from(text);
    const zipped = body.length >= this.#options.gzipFromBytes;
    // The fastest level: events repeat themselves so much that the best one saves little more.
    if (zipped) body = await compress(body, { level: 1 });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    const answer = await this.#authorized(body, zipped, limit);
    return readResponse(answer, batch);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** A refused credential is asked for anew, once; a rotation looks just like that. */
  async #authorized(body: Buffer, zipped: boolean, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.#post(body, zipped, await this.#authorization(false), signal);
    if ((answer.status !== 401 && answer.status !== 403) || typeof this.#credential !== 'function')
      return answer;
    return this.#post(body, zipped, await this.#authorization(true), signal);
  }

  async #authorization(refresh: boolean): Promise<string | undefined> {
    const credential = this.#credential;
    if (credential === undefined || typeof credential === 'string') return credential;
    try {
      if (refresh || this.#token === undefined) this.#token = await credential({ refresh });
      return this.#token;
    } catch (cause) {
      throw new TransportError(
        'no credential could be had',
        { retryable: true, unauthorized: true },
        { cause },
      );
    }
  }

  async #post(
    body: Buffer,
    zipped: boolean,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    try {
      return await this.#request(body, zipped, token, signal);
    } catch (cause) {
      // A kept connection that the service closed in this very moment: nothing was read from the request.
      if (!(cause instanceof StaleConnection)) throw unreachable(cause);
    }
    try {
      return await this.#request(body, zipped, token, signal);
    } catch (cause) {
      throw unreachable(cause);
    }
  }

  #request(
    body: Buffer,
    zipped: boolean,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const headers = {
      accept: 'application/json, application/problem+json',
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'tallystick-sdk',
      ...(zipped && { 'content-encoding': 'gzip' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve, reject) => {
      const open = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = open(this.#url, { method: 'POST', agent: this.#agent, headers, signal });
      request.on('error', (error: NodeJS.ErrnoException) => {
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
      });
      request.on('response', (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

/** What the service answered, not yet understood. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function unreachable(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const code = (cause as { code?: unknown } | null)?.code;
  const what = typeof code === 'string' ? code : 'no answer';
  return new TransportError(`the audit service can not be reached (${what})`, { retryable: true }, { cause });
}
