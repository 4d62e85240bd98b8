import { type Connection, listOffsetsV7, offsetForLeaderEpochV4 } from '@platformatic/kafka';
import type { Brokers, Topic } from '../brokers.ts';
import { type Broker, disconnect } from '../connection.ts';
import { errorName, KafkaError } from '../kafka-error.ts';
import { type MessageRange, readMessages } from '../records/messages.ts';
import type { Fetcher } from './fetcher.ts';

export interface PartitionReaderOptions {
  /** Bytes to ask for in one fetch. */
  readonly fetchBytes: number;
  /** Bytes of unpacked messages after which a range ends. */
  readonly maxBatchBytes: number;
}

export interface FetchedRange extends MessageRange {
  /** End of the log for a reader of committed messages. */
  readonly end: number;
}

/** Where a leader epoch ends in a log. */
export interface EpochEnd {
  readonly leaderEpoch: number;
  readonly end: number;
}

/** Reads one partition from its leader. */
export class PartitionReader {
  readonly #brokers: Brokers;
  readonly #fetcher: Fetcher;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #options: PartitionReaderOptions;
  readonly #closing = new AbortController();
  /** The broker that answers for the partition as far as is known; looked up again after any failure. */
  #leader: Broker | undefined;
  #leaderFailed = false;
  /** The last fetch returned no records although the log has some: the next one must not share its request. */
  #leftOut = false;

  constructor(
    brokers: Brokers,
    fetcher: Fetcher,
    topic: Topic,
    partition: number,
    options: PartitionReaderOptions,
  ) {
    this.#brokers = brokers;
    this.#fetcher = fetcher;
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
  }

  /**
   * @param leaderEpoch leader epoch of the record before `from`; with it, a log that was truncated is noticed
   * @returns messages from `from` on; no messages if none came within the wait
   * @throws {KafkaError} `LOG_DIVERGED` if the log lacks that record in that epoch; `OFFSET_OUT_OF_RANGE`,
   *   `SOURCE_CORRUPT`, `UNKNOWN_TOPIC_ID` and other errors of Kafka
   */
  async fetch(from: number, leaderEpoch: number | undefined): Promise<FetchedRange> {
    const { fetchBytes, maxBatchBytes } = this.#options;
    const { name, id: topicId } = this.#topic;
    const partition = this.#partition;
    const response = await this.#askLeader((leader) =>
      this.#fetcher.fetch(
        leader,
        { topicId, partition, from, leaderEpoch, maxBytes: fetchBytes },
        { signal: this.#closing.signal, alone: this.#leftOut },
      ),
    );
    const { errorCode, lastStableOffset: end, records, aborted } = response;
    if (errorCode !== 0) {
      this.#leaderFailed = true;
      throw new KafkaError(errorName(errorCode), `${name}/${partition} can't be read at ${from}`);
    }
    if (response.diverged) {
      // The broker may be a former leader. Before the next request, the current leader is looked up.
      this.#leaderFailed = true;
      throw new KafkaError(
        'LOG_DIVERGED',
        `the log of ${name}/${partition} has no record before ${from} in leader epoch ${leaderEpoch}`,
      );
    }
    this.#leftOut = records.length === 0 && from < end;
    return { ...readMessages(records, aborted, from, maxBatchBytes), end };
  }

  /** Offset of the first record that the broker has, and the offset that the next record will get. */
  async bounds(): Promise<{ readonly start: number; readonly end: number }> {
    return { start: await this.#listOffset(-2n), end: await this.#listOffset(-1n) };
  }

  /**
   * Where a leader epoch ends in the log. If the broker does not know the epoch, the answer is about the last epoch before
   * it; undefined if there is none.
   */
  async endOfEpoch(leaderEpoch: number): Promise<EpochEnd | undefined> {
    const { topics } = await this.#askLeaderOnce((connection) =>
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

  /** Fails a fetch in flight at once. */
  close(): void {
    this.#closing.abort();
  }

  async #listOffset(timestamp: bigint): Promise<number> {
    const { topics } = await this.#askLeaderOnce((connection) =>
      listOffsetsV7.api.async(connection, -1, 0, [
        {
          name: this.#topic.name,
          partitions: [{ partitionIndex: this.#partition, currentLeaderEpoch: -1, timestamp }],
        },
      ]),
    );
    return Number(topics[0]!.partitions[0]!.offset);
  }

  /** Opens a connection for one request. Such requests are rare: they follow a fetch that failed. */
  #askLeaderOnce<T>(request: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#askLeader(async (leader) => {
      const connection = await this.#brokers.open(leader);
      try {
        return await request(connection);
      } finally {
        disconnect(connection);
      }
    });
  }

  async #askLeader<T>(request: (leader: Broker) => Promise<T>): Promise<T> {
    try {
      if (this.#leader === undefined || this.#leaderFailed) {
        this.#leader = await this.#brokers.leaderOf(this.#topic.name, this.#partition, this.#leaderFailed);
        this.#leaderFailed = false;
      }
      return await request(this.#leader);
    } catch (error) {
      this.#leaderFailed = true;
      throw error;
    }
  }
}
