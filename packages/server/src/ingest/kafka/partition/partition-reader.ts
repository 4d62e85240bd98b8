import { type Connection, listOffsetsV7, offsetForLeaderEpochV4 } from '@platformatic/kafka';
import { type Broker, type Brokers, discard, type Topic } from '../../../kafka-client/brokers.ts';
import type { Fetches } from '../../../kafka-client/fetch/fetches.ts';
import { type ReadRange, readMessages } from '../../../kafka-client/records/records.ts';
import { nameOfError, SourceError } from '../source-error.ts';

export interface ReaderOptions {
  readonly fetchBytes: number;
  /** Bytes of messages after which a range ends, as they are once unpacked. */
  readonly maxBatchBytes: number;
}

export interface Fetched extends ReadRange {
  /** Where the log ended for a reader of committed messages. */
  readonly end: number;
}

/** Where a log ends in a term of its leaders. */
export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly end: number;
}

/** Reads one partition from its leader. */
export class PartitionReader {
  readonly #brokers: Brokers;
  readonly #fetches: Fetches;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #options: ReaderOptions;
  readonly #closing = new AbortController();
  #leader: Broker | undefined;
  #leaderRefused = false;
  /** The last fetch came back with nothing where there is something. */
  #passedOver = false;

  constructor(brokers: Brokers, fetches: Fetches, topic: Topic, partition: number, options: ReaderOptions) {
    this.#brokers = brokers;
    this.#fetches = fetches;
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
  }

  /**
   * @param leaderEpoch in which term the offset before `from` was appended, for a look at whether the broker has it so
   * @returns messages from `from` on; none where there are none within the wait
   * @throws {SourceError} `LOG_DIVERGED` where it has not; `OFFSET_OUT_OF_RANGE`, `SOURCE_CORRUPT`, `UNKNOWN_TOPIC_ID` and
   *   others of Kafka's
   */
  async fetch(from: number, leaderEpoch: number | undefined): Promise<Fetched> {
    const { fetchBytes, maxBatchBytes } = this.#options;
    const { name, id: topicId } = this.#topic;
    const partition = this.#partition;
    const answer = await this.#ask((leader) =>
      this.#fetches.fetch(
        leader,
        { topicId, partition, from, leaderEpoch, maxBytes: fetchBytes },
        { signal: this.#closing.signal, alone: this.#passedOver },
      ),
    );
    const { errorCode, lastStableOffset: end, records, aborted } = answer;
    if (errorCode !== 0) {
      this.#leaderRefused = true;
      throw new SourceError(nameOfError(errorCode), `${name}/${partition} can't be read at ${from}`);
    }
    if (answer.diverged) {
      // It may be one that was the leader: whoever is asked next is looked for.
      this.#leaderRefused = true;
      throw new SourceError(
        'LOG_DIVERGED',
        `the broker's log does not lead to ${from} in epoch ${leaderEpoch}`,
      );
    }
    this.#passedOver = records.length === 0 && from < end;
    return { ...readMessages(records, aborted, from, maxBatchBytes), end };
  }

  /** First offset that the broker still has, and the one that the next message will get. */
  async bounds(): Promise<{ readonly start: number; readonly end: number }> {
    return { start: await this.#listOffset(-2n), end: await this.#listOffset(-1n) };
  }

  /**
   * Where the log ends in a term of its leaders, or in the last one before it that the broker knows of; in none, where it
   * knows of no such term.
   */
  async endOfEpoch(leaderEpoch: number): Promise<EpochEnd | undefined> {
    const { topics } = await this.#askAlone((connection) =>
      offsetForLeaderEpochV4.api.async(connection, -1, [
        {
          name: this.#topic.name,
          partitions: [{ partitionIndex: this.#partition, currentLeaderEpoch: -1, leaderEpoch }],
        },
      ]),
    );
    const { leaderEpoch: known, endOffset } = topics[0]!.partitions[0]!;
    return known < 0 ? undefined : { leaderEpoch: known, end: Number(endOffset) };
  }

  /** A fetch that waits fails at once. */
  close(): void {
    this.#closing.abort();
  }

  async #listOffset(timestamp: bigint): Promise<number> {
    const { topics } = await this.#askAlone((connection) =>
      listOffsetsV7.api.async(connection, -1, 0, [
        {
          name: this.#topic.name,
          partitions: [{ partitionIndex: this.#partition, currentLeaderEpoch: -1, timestamp }],
        },
      ]),
    );
    return Number(topics[0]!.partitions[0]!.offset);
  }

  /** Over a connection that is made for it: what is asked so is asked when something is wrong. */
  #askAlone<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#ask(async (leader) => {
      const connection = await this.#brokers.open(leader);
      try {
        return await question(connection);
      } finally {
        discard(connection);
      }
    });
  }

  async #ask<T>(question: (leader: Broker) => Promise<T>): Promise<T> {
    try {
      if (this.#leader === undefined || this.#leaderRefused) {
        this.#leader = await this.#brokers.leaderOf(this.#topic.name, this.#partition, this.#leaderRefused);
        this.#leaderRefused = false;
      }
      return await question(this.#leader);
    } catch (error) {
      // Whatever it was: whoever leads the partition by then is asked next.
      this.#leaderRefused = true;
      throw error;
    }
  }
}
