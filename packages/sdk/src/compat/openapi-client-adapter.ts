import type { ItemResult } from '@tallystick/protocol';
import { type HttpTransportOptions, httpTransport } from '../transport/http.ts';
import type { Batch, Transport } from '../transport/transport.ts';

/** The HTTP transport as a class. */
export class OpenAPIClientAdapter implements Transport {
  readonly #transport: Transport;

  /** @param timeoutMs how long one request may take in total, in milliseconds */
  constructor(url: string, timeoutMs: number, options: Omit<HttpTransportOptions, 'url' | 'timeoutMs'> = {}) {
    this.#transport = httpTransport({ ...options, url, timeoutMs });
  }

  send(batch: Batch, signal: AbortSignal): Promise<readonly ItemResult[]> {
    return this.#transport.send(batch, signal);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}
