import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readOptions, refusal, requireWhole } from '../configuration.ts';
import { readResponse } from './http-response.ts';
import { type Batch, type ItemResult, type Transport, TransportError } from './transport.ts';

/** A key, or where to get it: asked once, and again with `refresh: true` when the service refused the last one. */
export type Credential = string | ((options: { readonly refresh: boolean }) => string | Promise<string>);

/** Where the audit service is, and how to speak to it. */
export interface HttpTransportOptions {
  /** The audit service's address, for example `https://audit.example.com`. */
  readonly url: string | URL;
  /** Sent as a bearer token. @defaultValue none */
  readonly apiKey?: Credential | undefined;
  /** How long one request may take in all, in ms. @defaultValue 15000 */
  readonly timeoutMs?: number | undefined;
  /** Bodies from this size on are compressed. `Infinity`: none. @defaultValue 8192 */
  readonly gzipFromBytes?: number | undefined;
}

/** What {@link HttpTransportOptions} leaves out, in its units. */
export const httpDefaults = Object.freeze({ timeoutMs: 15_000, gzipFromBytes: 8_192 });

/** An answer holds a receipt an event, some 400 bytes each, for 1,000 events at most. */
const maxAnswerBytes = 16 * 1024 * 1024;
const compress = promisify(gzip);

/**
 * Sends batches to the audit service over HTTP, on one kept-alive connection. An event that it reports as `chained`
 * is committed in the service's database; `accepted`, in its queue.
 *
 * @throws {AuditError} `CONFIG_INVALID` for options that make no sense
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(readHttpOptions(options));
}

class HttpTransport implements Transport {
  readonly #url: URL;
  readonly #options: HttpSettings;
  readonly #credential: Credential | undefined;
  readonly #agent: HttpAgent;
  #token: string | undefined;

  constructor(options: HttpSettings) {
    this.#options = options;
    this.#credential = typeof options.apiKey === 'string' ? readToken(options.apiKey) : options.apiKey;
    this.#url = options.url;
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
    try {
      return readResponse(await this.#authorized(body, zipped, limit), batch);
    } catch (cause) {
      // Whichever part of it took too long: the reason is the same.
      const answered = cause instanceof TransportError && cause.status !== undefined;
      if (!limit.aborted || signal.aborted || answered) throw cause;
      const why = cause instanceof NoCredential ? `: ${cause.message}` : '';
      const message = `the audit service did not answer within ${this.#options.timeoutMs} ms${why}`;
      throw new TransportError(message, { retryable: true }, { cause });
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** A refused credential is asked for anew, once; a rotation looks just like that. */
  async #authorized(body: Buffer, zipped: boolean, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await this.#post(body, zipped, await this.#authorization(false, signal), signal);
    if ((answer.status !== 401 && answer.status !== 403) || typeof this.#credential !== 'function')
      return answer;
    return this.#post(body, zipped, await this.#authorization(true, signal), signal);
  }

  async #authorization(refresh: boolean, signal: AbortSignal): Promise<string | undefined> {
    const credential = this.#credential;
    if (credential === undefined || typeof credential === 'string') return credential;
    try {
      // Where it comes from may hang like any other service.
      if (refresh || this.#token === undefined) {
        this.#token = readToken(await orAborted(async () => credential({ refresh }), signal));
      }
      return this.#token;
    } catch (cause) {
      throw new NoCredential({ cause });
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
      let answered = false;
      const open = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = open(this.#url, { method: 'POST', agent: this.#agent, headers, signal });
      request.on('error', (error: NodeJS.ErrnoException) => {
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
      });
      request.on('response', (response) => {
        answered = true;
        readAnswer(response).then(resolve, reject);
      });
      // What speaks another protocol (101) ends the connection without any of the above.
      request.on('close', () => {
        if (!answered) reject(new NoUsableAnswer('the connection was closed without an answer'));
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

/** Whose message says all, and quotes nothing. */
class NoUsableAnswer extends Error {}

class NoCredential extends TransportError {
  constructor(options: ErrorOptions) {
    super('no credential could be had', { retryable: true, unauthorized: true }, options);
  }
}

interface HttpSettings {
  /** Where batches are posted. */
  readonly url: URL;
  readonly apiKey?: Credential | undefined;
  readonly timeoutMs: number;
  readonly gzipFromBytes: number;
}

function readHttpOptions(given: HttpTransportOptions): HttpSettings {
  const { url, ...options } = readOptions('httpTransport', given, httpDefaults, ['url', 'apiKey']);
  requireWhole('timeoutMs', options.timeoutMs, 1);
  if (!(options.gzipFromBytes >= 0)) throw refusal('gzipFromBytes must be a number, at least 0');
  if (!['string', 'function', 'undefined'].includes(typeof options.apiKey)) {
    throw refusal('apiKey must be a text, or a function that gives one');
  }
  return { ...options, url: readUrl(url) };
}

/** A prefix of the path is kept: the service may stand behind a proxy. */
function readUrl(given: string | URL): URL {
  const base = String(given);
  const url = URL.parse('v1/audit/events/batch', base.endsWith('/') ? base : `${base}/`);
  // Not quoted: it may hold a password.
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw refusal('url must be an address such as https://audit.example.com');
}

/** Keys come out of files, and files end with a line. */
function readToken(given: unknown): string {
  const token = typeof given === 'string' ? given.trim() : undefined;
  if (token !== undefined && /^[\x21-\x7e]*$/.test(token)) return token;
  throw refusal('apiKey must be visible ASCII characters without a space');
}

/** What the work gives, or the signal's reason where that comes first. */
function orAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

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
    if (bytes > maxAnswerBytes) throw new NoUsableAnswer('the answer is too long');
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
  const what =
    typeof code === 'string' ? code : cause instanceof NoUsableAnswer ? cause.message : 'no answer';
  return new TransportError(`the audit service can not be reached (${what})`, { retryable: true }, { cause });
}
