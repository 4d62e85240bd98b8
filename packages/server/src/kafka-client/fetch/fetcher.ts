import type { Brokers } from '../brokers.ts';
import type { Broker } from '../connection.ts';
import { BrokerFetcher, closedError, type FetchOptions, type PartitionFetch } from './broker-fetcher.ts';
import type { PartitionResponse } from './fetch-response.ts';

/** Fetches partitions from their brokers. Fetches of several partitions of one broker share a request. */
export class Fetcher {
  readonly #brokers: Brokers;
  readonly #waitMs: number;
  /** By `host:port`. */
  readonly #byBroker = new Map<string, BrokerFetcher>();
  #closed = false;

  /** @param waitMs how long a broker may wait for the first message before it answers with none */
  constructor(brokers: Brokers, waitMs: number) {
    this.#brokers = brokers;
    this.#waitMs = waitMs;
  }

  /** @throws {KafkaError} `CLOSED`, `SOURCE_CORRUPT`, or the error of the request that the fetch was part of */
  async fetch(broker: Broker, fetch: PartitionFetch, options: FetchOptions): Promise<PartitionResponse> {
    if (this.#closed || options.signal.aborted) throw closedError();
    const address = `${broker.host}:${broker.port}`;
    let fetcher = this.#byBroker.get(address);
    if (fetcher === undefined) {
      fetcher = new BrokerFetcher(this.#brokers, broker, this.#waitMs);
      this.#byBroker.set(address, fetcher);
    }
    return await fetcher.fetch(fetch, options);
  }

  /** Fails the fetches in flight. */
  close(): void {
    this.#closed = true;
    for (const fetcher of this.#byBroker.values()) fetcher.close();
  }
}
