import { addAbortListener } from 'node:events';
import type { Connection } from '@platformatic/kafka';
import { type Brokers, partitionKey } from '../brokers.ts';
import { type Broker, disconnect } from '../connection.ts';
import { errorName, KafkaError } from '../kafka-error.ts';
import { type FetchResponse, fetchPartitions, type PartitionResponse } from './fetch-response.ts';

/** What to fetch from one partition. */
export interface PartitionFetch {
  readonly topicId: string;
  readonly partition: number;
  /** Offset of the first message. */
  readonly from: number;
  /**
   * Leader epoch of the record before `from`. The broker compares it with its log, so that a log that was truncated is
   * noticed. Undefined: no comparison.
   */
  readonly leaderEpoch: number | undefined;
  readonly maxBytes: number;
}

export interface FetchOptions {
  /** On abort, the fetch fails at once. */
  readonly signal: AbortSignal;
  /**
   * Sends the fetch in a separate request. In a shared request a broker leaves out a batch that is longer than
   * `maxBytes`, unless it is the first batch of the response.
   */
  readonly alone: boolean;
}

/** A fetch that waits for its response. */
interface PendingFetch {
  readonly fetch: PartitionFetch;
  readonly signal: AbortSignal;
  readonly resolve: (response: PartitionResponse) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How long a fetch waits for fetches of other partitions of the same broker, ms. A producer's batch goes to several
 * partitions, so their fetches are answered together and are repeated together. Measured at 1,000 events/s over four
 * partitions, beside one connection per partition: the service used 26 % of a core instead of 31 %, the broker 13 %
 * instead of 17 %; the p99 from emit to query was 64 ms instead of 76 ms (`npm run bench -- kafka-soak`).
 */
const gatherMs = 2;

/**
 * Most partitions of one request. A message for one partition ends the wait of all partitions of the request, and each of
 * them fetches again: with a hundred quiet partitions in one request, one message would cost a hundred fetches.
 */
const maxPartitionsPerRequest = 8;

/** How long a broker may take to answer after the wait that the request allows, ms. */
const responseTimeoutMs = 10_000;

/** Fetches without a session leave no state on the broker that could get out of step. */
const noSession = { id: 0, epoch: -1 };
const readCommitted = 1;

/**
 * Fetches from one broker. A broker answers the requests of a connection one after the other, so a request that waits for
 * messages would delay the next one: each request in flight has its own connection.
 */
export class BrokerFetcher {
  readonly #brokers: Brokers;
  readonly #broker: Broker;
  readonly #waitMs: number;
  /** Fetches of the next request, sent {@link gatherMs} after the first of them. */
  #gathered: PendingFetch[] = [];
  #gatherTimer: NodeJS.Timeout | undefined;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #closed = false;

  constructor(brokers: Brokers, broker: Broker, waitMs: number) {
    this.#brokers = brokers;
    this.#broker = broker;
    this.#waitMs = waitMs;
  }

  async fetch(fetch: PartitionFetch, { signal, alone }: FetchOptions): Promise<PartitionResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<PartitionResponse>();
    using _ = addAbortListener(signal, () => reject(closedError()));
    const pending = { fetch, signal, resolve, reject };
    if (alone) void this.#send([pending]);
    else this.#gather(pending);
    return await promise;
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle, ...this.#busy]) disconnect(connection);
    this.#sendGathered();
  }

  #gather(pending: PendingFetch): void {
    const count = this.#gathered.push(pending);
    if (count === 1) this.#gatherTimer = setTimeout(() => this.#sendGathered(), gatherMs);
    if (count === maxPartitionsPerRequest) this.#sendGathered();
  }

  #sendGathered(): void {
    clearTimeout(this.#gatherTimer);
    const pending = this.#gathered.filter(({ signal }) => !signal.aborted);
    this.#gathered = [];
    if (pending.length > 0) void this.#send(pending);
  }

  async #send(pending: readonly PendingFetch[]): Promise<void> {
    try {
      const { errorCode, partitions } = await this.#request(pending.map(({ fetch }) => fetch));
      if (errorCode !== 0) throw new KafkaError(errorName(errorCode), 'the broker refused the fetch');
      for (const { fetch, resolve, reject } of pending) {
        const response = partitions.get(partitionKey(fetch.topicId, fetch.partition));
        if (response === undefined) {
          reject(new KafkaError('FETCH_EMPTY', 'the response of the broker lacks the partition'));
        } else if (pending.length === 1) {
          resolve(response);
        } else {
          // A copy, so that the messages of one partition don't keep those of the others in memory.
          resolve({ ...response, records: Buffer.from(response.records) });
        }
      }
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
  }

  async #request(fetches: readonly PartitionFetch[]): Promise<FetchResponse> {
    const connection = await this.#connection();
    this.#busy.add(connection);
    try {
      const maxBytes = fetches.reduce((sum, fetch) => sum + fetch.maxBytes, 0);
      const response = await fetchPartitions.async(
        connection,
        this.#waitMs,
        1,
        maxBytes,
        readCommitted,
        noSession.id,
        noSession.epoch,
        byTopicId(fetches),
        [],
        '',
      );
      this.#idle.push(connection);
      return response;
    } catch (error) {
      disconnect(connection);
      // The broker may have restarted, which breaks the idle connections to it too.
      for (const idle of this.#idle.splice(0)) disconnect(idle);
      throw error;
    } finally {
      this.#busy.delete(connection);
    }
  }

  async #connection(): Promise<Connection> {
    if (this.#closed) throw closedError();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isConnected()) return idle;
      disconnect(idle);
    }
    const connection = await this.#brokers.open(this.#broker, this.#waitMs + responseTimeoutMs);
    if (!this.#closed) return connection;
    disconnect(connection);
    throw closedError();
  }
}

export function closedError(): KafkaError {
  return new KafkaError('CLOSED', 'the reader was closed');
}

/** In the form of the library's fetch request. */
function byTopicId(fetches: readonly PartitionFetch[]): Parameters<typeof fetchPartitions.async>[7] {
  return [...Map.groupBy(fetches, ({ topicId }) => topicId)].map(([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ partition, from, leaderEpoch, maxBytes }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(from),
      lastFetchedEpoch: leaderEpoch ?? -1,
      partitionMaxBytes: maxBytes,
    })),
  }));
}
