import { type ItemResult, preferChained } from '@tallystick/protocol';
import type { Credential } from '../transport/credential.ts';
import { readToken, readUrl } from '../transport/http-options.ts';
import { readResults } from '../transport/http-response.ts';
import { type Batch, type Transport, TransportError } from '../transport/transport.ts';

export interface FetchTransportOptions {
  readonly url: string | URL;
  readonly apiKey?: Credential | undefined;
  readonly timeoutMs: number;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A response contains a receipt of about 400 bytes for each of at most 1,000 events. */
const maxResponseChars = 16 * 1024 * 1024;

/** Sends batches with `fetch`. It keeps no connection and no timer. */
export class FetchTransport implements Transport {
  readonly #options: FetchTransportOptions;
  readonly #url: URL;
  /** The last key that the credential function returned. */
  #token: string | undefined;

  /** @throws {AuditError} `CONFIG_INVALID` */
  constructor(options: FetchTransportOptions) {
    this.#options = options;
    this.#url = readUrl(options.url);
    if (typeof options.apiKey === 'string') this.#token = readToken(options.apiKey);
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    const body = `{"delivery":${JSON.stringify(batch.delivery)},"events":[${batch.events.join(',')}]}`;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    const chained = batch.chained === true;
    let response = await this.#post(body, chained, await this.#credential(false), limit);
    const refused = response.status === 401 || response.status === 403;
    // The key was probably rotated: one more request with a new one.
    if (refused && typeof this.#options.apiKey === 'function') {
      response = await this.#post(body, chained, await this.#credential(true), limit);
    }
    return readResults(response, batch);
  }

  async close(): Promise<void> {}

  async #post(body: string, chained: boolean, token: string | undefined, signal: AbortSignal) {
    const request = this.#options.fetch ?? globalThis.fetch;
    try {
      const response = await request(this.#url.href, {
        method: 'POST',
        body,
        signal,
        // A redirect would take the key and the events to another address.
        redirect: 'manual',
        headers: {
          accept: 'application/json, application/problem+json',
          'content-type': 'application/json',
          ...(chained && preferChained),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      });
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        body: await readText(response),
      };
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      const reason = signal.aborted ? 'no response in time' : 'no response';
      throw new TransportError(
        `the audit service can't be reached (${reason})`,
        { retryable: true },
        { cause },
      );
    }
  }

  async #credential(refresh: boolean): Promise<string | undefined> {
    const { apiKey } = this.#options;
    if (typeof apiKey !== 'function') return this.#token;
    try {
      if (refresh || this.#token === undefined) this.#token = readToken(await apiKey({ refresh }));
      return this.#token;
    } catch (cause) {
      const message = 'the apiKey function gave no usable key';
      throw new TransportError(message, { retryable: true, unauthorized: true }, { cause });
    }
  }
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length <= maxResponseChars) continue;
    await reader.cancel();
    throw new TransportError("the audit service can't be reached (the response is too long)", {
      retryable: true,
    });
  }
}
