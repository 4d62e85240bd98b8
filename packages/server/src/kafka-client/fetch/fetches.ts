import { addAbortListener } from 'node:events';
import type { Connection } from '@platformatic/kafka';
import { nameOfError, SourceError } from '../../ingest/kafka/source-error.ts';
import { type Broker, type Brokers, discard } from '../brokers.ts';
import { type FetchAnswer, type FetchAnswers, fetchPartitions, partitionKey } from './fetch-answer.ts';

/** What is asked for of one partition. */
export interface FetchPart {
  readonly topicId: string;
  readonly partition: number;
  /** Offset of the first message. */
  readonly from: number;
  /** In which term the offset before it was appended, for a look at whether the broker has it so. */
  readonly leaderEpoch: number | undefined;
  readonly maxBytes: number;
}

export interface FetchOptions {
  /** Gives the answer up, at once. */
  readonly signal: AbortSignal;
  /**
   * In a request of its own. A broker holds back a batch that is longer than what it was asked for, unless that is the
   * first which it has for the request.
   */
  readonly alone: boolean;
}

interface Asked {
  readonly part: FetchPart;
  readonly signal: AbortSignal;
  readonly resolve: (answer: FetchAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How long a fetch waits for others to the same broker, ms. What a producer sends at once goes to several partitions,
 * whose fetches are answered at once, and come again at once. At 1,000 events/s over four partitions, in turns with one
 * connection a partition: the service 26 % of a core (31), the broker 13 % (17), emit to queryable p99 64 ms (76).
 */
const gatherMs = 2;
/**
 * Partitions of one request. Whatever comes for one of them ends the wait of all, who ask again: of a hundred partitions
 * with little to read, each message would cost a hundred.
 */
const mostTogether = 8;

/** What a broker may take to answer, beyond what it was told to wait, ms. */
const patienceMs = 10_000;

/** A fetch outside of any session leaves nothing behind on the broker that could be out of step. */
const noSession = { id: 0, epoch: -1 };
const readCommitted = 1;

/**
 * The fetches of all partitions, joined: what is asked of a broker within {@link gatherMs} is one request. A broker
 * answers a connection's requests one after the other, so a request that waits for messages never holds up another: that
 * goes over another connection.
 */
export class Fetches {
  readonly #brokers: Brokers;
  readonly #waitMs: number;
  /** By address. */
  readonly #byBroker = new Map<string, BrokerFetches>();
  #closed = false;

  /** @param waitMs how long a broker may wait for the first message before it answers with none */
  constructor(brokers: Brokers, waitMs: number) {
    this.#brokers = brokers;
    this.#waitMs = waitMs;
  }

  /** @throws {SourceError} `CLOSED`, `SOURCE_CORRUPT`, or what became of the whole request */
  async fetch(broker: Broker, part: FetchPart, options: FetchOptions): Promise<FetchAnswer> {
    if (this.#closed || options.signal.aborted) throw closed();
    const address = `${broker.host}:${broker.port}`;
    let fetches = this.#byBroker.get(address);
    if (fetches === undefined) {
      fetches = new BrokerFetches(this.#brokers, broker, this.#waitMs);
      this.#byBroker.set(address, fetches);
    }
    return await fetches.ask(part, options);
  }

  /** What is under way fails. */
  close(): void {
    this.#closed = true;
    for (const fetches of this.#byBroker.values()) fetches.close();
  }
}

class BrokerFetches {
  readonly #brokers: Brokers;
  readonly #broker: Broker;
  readonly #waitMs: number;
  /** Sent when the time of the first of them is up. */
  #gathering: Asked[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #closed = false;

  constructor(brokers: Brokers, broker: Broker, waitMs: number) {
    this.#brokers = brokers;
    this.#broker = broker;
    this.#waitMs = waitMs;
  }

  async ask(part: FetchPart, { signal, alone }: FetchOptions): Promise<FetchAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer>();
    using _ = addAbortListener(signal, () => reject(closed()));
    const asked = { part, signal, resolve, reject };
    if (alone) void this.#send([asked]);
    else this.#gather(asked);
    return await promise;
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#idle, ...this.#busy]) discard(connection);
    this.#sendGathered();
  }

  #gather(asked: Asked): void {
    const count = this.#gathering.push(asked);
    if (count === 1) this.#timer = setTimeout(() => this.#sendGathered(), gatherMs);
    if (count === mostTogether) this.#sendGathered();
  }

  #sendGathered(): void {
    clearTimeout(this.#timer);
    const gathered = this.#gathering.filter(({ signal }) => !signal.aborted);
    this.#gathering = [];
    if (gathered.length > 0) void this.#send(gathered);
  }

  async #send(asked: readonly Asked[]): Promise<void> {
    try {
      const { errorCode, partitions } = await this.#request(asked.map(({ part }) => part));
      if (errorCode !== 0)
        throw new SourceError(nameOfError(errorCode), 'the broker refuses to be read from');
      for (const { part, resolve, reject } of asked) {
        const answer = partitions.get(partitionKey(part.topicId, part.partition));
        if (answer === undefined) reject(new SourceError('FETCH_EMPTY', 'the broker left the partition out'));
        // A copy: what one partition keeps must not keep the others' messages in memory.
        else resolve(asked.length === 1 ? answer : { ...answer, records: Buffer.from(answer.records) });
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  async #request(parts: readonly FetchPart[]): Promise<FetchAnswers> {
    const connection = await this.#connection();
    this.#busy.add(connection);
    try {
      const maxBytes = parts.reduce((sum, part) => sum + part.maxBytes, 0);
      const answers = await fetchPartitions.async(
        connection,
        this.#waitMs,
        1,
        maxBytes,
        readCommitted,
        noSession.id,
        noSession.epoch,
        topicsOf(parts),
        [],
        '',
      );
      this.#idle.push(connection);
      return answers;
    } catch (error) {
      discard(connection);
      // Whatever has befallen the broker has befallen these too.
      for (const each of this.#idle.splice(0)) discard(each);
      throw error;
    } finally {
      this.#busy.delete(connection);
    }
  }

  async #connection(): Promise<Connection> {
    if (this.#closed) throw closed();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isConnected()) return idle;
      discard(idle);
    }
    const connection = await this.#brokers.open(this.#broker, this.#waitMs + patienceMs);
    if (!this.#closed) return connection;
    discard(connection);
    throw closed();
  }
}

function topicsOf(parts: readonly FetchPart[]): Parameters<typeof fetchPartitions.async>[7] {
  const topicIds = [...new Set(parts.map(({ topicId }) => topicId))];
  return topicIds.map((topicId) => ({
    topicId,
    partitions: parts
      .filter((part) => part.topicId === topicId)
      .map(({ partition, from, leaderEpoch, maxBytes }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(from),
        lastFetchedEpoch: leaderEpoch ?? -1,
        partitionMaxBytes: maxBytes,
      })),
  }));
}

function closed(): SourceError {
  return new SourceError('CLOSED', 'the reader was closed');
}
