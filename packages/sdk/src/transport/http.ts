import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ItemResult } from '@tallystick/protocol';
import { abortable } from '../time-limit.ts';
import { type HttpSettings, type HttpTransportOptions, readHttpOptions, readToken } from './http-options.ts';
import { type HttpPost, type HttpResponse, post } from './http-request.ts';
import { readResults } from './http-response.ts';
import { type Batch, type Transport, TransportError } from './transport.ts';

export type { Credential } from './credential.ts';
export { type HttpTransportOptions, httpDefaults } from './http-options.ts';

/**
 * Creates a transport that sends batches to the audit service over HTTP, on one kept-alive connection. With several addresses, it
 * changes to the next one if one does not work. When the service
 * reports an event as `chained`, it is committed in the service's database; when it reports `accepted`, in its queue.
 *
 * @throws {AuditError} `CONFIG_INVALID` for an invalid option
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(readHttpOptions(options));
}

const compress = promisify(gzip);

/** What is posted, whatever the address and the credential. */
type Content = Pick<HttpPost, 'body' | 'gzipped' | 'chained'>;

class HttpTransport implements Transport {
  readonly #settings: HttpSettings;
  /** By protocol. */
  readonly #agents: { readonly [protocol: string]: HttpAgent };
  /** Index of the address that worked last. */
  #current = 0;
  /** The last key that the credential function returned. */
  #token: string | undefined;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
    // An agent's idle sockets do not keep the process alive.
    const { proxyEnv } = settings;
    const sockets = { keepAlive: true, maxSockets: 1, ...(proxyEnv !== undefined && { proxyEnv }) };
    this.#agents = { 'http:': new HttpAgent(sockets), 'https:': new HttpsAgent(sockets) };
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    const { urls, gzipFromBytes } = this.#settings;
    const text = `{"delivery":${JSON.stringify(batch.delivery)},"events":[${batch.events.join(',')}]}`;
    let body: Buffer = Buffer.from(text);
    const gzipped = body.length >= gzipFromBytes;
    // The fastest level: events are so repetitive that a better one saves little more.
    if (gzipped) body = await compress(body, { level: 1 });
    const content = { body, gzipped, chained: batch.chained === true };
    for (let tried = 1; ; tried++) {
      const url = urls[this.#current]!;
      try {
        return readResults(await this.#postInTime(url, content, signal), batch);
      } catch (thrown) {
        if (signal.aborted || !concernsAddress(thrown)) throw thrown;
        // The service recognizes events that the first replica may have stored.
        this.#current = (this.#current + 1) % urls.length;
        if (tried === urls.length) throw thrown;
      }
    }
  }

  async #postInTime(url: URL, content: Content, signal: AbortSignal): Promise<HttpResponse> {
    const timeoutMs = Math.ceil(this.#settings.timeoutMs / this.#settings.urls.length);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await this.#postWithCredential(url, content, limit);
    } catch (cause) {
      if (!limit.aborted || signal.aborted) throw cause;
      const why = cause instanceof NoCredential ? `: ${cause.message}` : '';
      const message = `the audit service did not respond within ${timeoutMs} ms${why}`;
      throw new TransportError(message, { retryable: true, unauthorized: why !== '' }, { cause });
    }
  }

  async close(): Promise<void> {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** If the service refuses a key from a function, the key was probably rotated: one more request is made with a new key. */
  async #postWithCredential(url: URL, content: Content, signal: AbortSignal): Promise<HttpResponse> {
    const { apiKey } = this.#settings;
    const request = { ...content, url, agent: this.#agents[url.protocol]!, signal };
    const response = await post({ ...request, token: await this.#readCredential(false, signal) });
    const refused = response.status === 401 || response.status === 403;
    if (!refused || typeof apiKey !== 'function') return response;
    return post({ ...request, token: await this.#readCredential(true, signal) });
  }

  async #readCredential(refresh: boolean, signal: AbortSignal): Promise<string | undefined> {
    const { apiKey } = this.#settings;
    if (apiKey === undefined || typeof apiKey === 'string') return apiKey;
    try {
      if (refresh || this.#token === undefined) {
        // The function may ask a service that hangs, so the time limit applies to it too.
        const key = (async () => apiKey({ refresh }))();
        this.#token = readToken(await abortable(key, signal));
      }
      return this.#token;
    } catch (cause) {
      throw new NoCredential({ cause });
    }
  }
}

/**
 * Whether another replica may accept the batch. A missing or refused credential, 429 and 413 have the same meaning at each of
 * them, so that another request would only add load.
 */
function concernsAddress(thrown: unknown): boolean {
  if (!(thrown instanceof TransportError) || !thrown.retryable) return false;
  return !thrown.unauthorized && !thrown.tooLarge && thrown.status !== 429;
}

class NoCredential extends TransportError {
  constructor(options: ErrorOptions) {
    super('the apiKey function gave no usable key', { retryable: true, unauthorized: true }, options);
  }
}
