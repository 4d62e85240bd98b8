import { type Connection, listOffsetsV7, offsetForLeaderEpochV4 } from '@platformatic/kafka';
import { type Brokers, discard, type Topic } from './brokers.ts';
import { fetchPartition } from './fetch-answer.ts';
import { type ReadRange, readMessages } from './records.ts';
import { nameOfError, SourceError } from './source-error.ts';

export interface ReaderOptions {
  readonly fetchBytes: number;
  /** Bytes of messages after which a range ends, as they are once unpacked. */
  readonly maxBatchBytes: number;
  readonly fetchWaitMs: number;
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

/** Also what a broker may take to answer, beyond what it was told to wait. */
const patienceMs = 10_000;

/** A fetch outside of any session leaves nothing behind on the broker that could be out of step. */
const noSession = { id: 0, epoch: -1 };
const readCommitted = 1;

/**
 * Reads one partition from its leader, over a connection of its own: a broker answers a connection's requests one after
 * the other, so a fetch that waits for messages would hold up everything else.
 */
export class PartitionReader {
  readonly #brokers: Brokers;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #options: ReaderOptions;
  #connection: Connection | undefined;
  #leaderRefused = false;
  #closed = false;

  constructor(brokers: Brokers, topic: Topic, partition: number, options: ReaderOptions) {
    this.#brokers = brokers;
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
    const { fetchBytes, fetchWaitMs, maxBatchBytes } = this.#options;
    const answer = await this.#ask((connection) =>
      fetchPartition.async(
        connection,
        fetchWaitMs,
        1,
        fetchBytes,
        readCommitted,
        noSession.id,
        noSession.epoch,
        [
          {
            topicId: this.#topic.id,
            partitions: [
              {
                partition: this.#partition,
                currentLeaderEpoch: -1,
                fetchOffset: BigInt(from),
                lastFetchedEpoch: leaderEpoch ?? -1,
                partitionMaxBytes: fetchBytes,
              },
            ],
          },
        ],
        [],
        '',
      ),
    );
    if (answer.errorCode !== 0) throw this.#refused(answer.errorCode, from);
    if (answer.diverged) {
      // It may be one that was the leader: whoever is asked next is looked for.
      this.#leaderRefused = true;
      this.#drop();
      throw new SourceError(
        'LOG_DIVERGED',
        `the broker's log does not lead to ${from} in epoch ${leaderEpoch}`,
      );
    }
    return {
      ...readMessages(answer.records, answer.aborted, from, maxBatchBytes),
      end: answer.lastStableOffset,
    };
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
    const { topics } = await this.#ask((connection) =>
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
    this.#closed = true;
    this.#drop();
  }

  async #listOffset(timestamp: bigint): Promise<number> {
    const { topics } = await this.#ask((connection) =>
      listOffsetsV7.api.async(connection, -1, 0, [
        {
          name: this.#topic.name,
          partitions: [{ partitionIndex: this.#partition, currentLeaderEpoch: -1, timestamp }],
        },
      ]),
    );
    return Number(topics[0]!.partitions[0]!.offset);
  }

  async #ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      this.#connection ??= await this.#open();
      return await question(this.#connection);
    } catch (error) {
      // Whatever it was: another connection, to whoever leads the partition by then.
      this.#leaderRefused = true;
      this.#drop();
      throw error;
    }
  }

  async #open(): Promise<Connection> {
    const leader = await this.#brokers.leaderOf(this.#topic.name, this.#partition, this.#leaderRefused);
    const connection = await this.#brokers.open(leader, this.#options.fetchWaitMs + patienceMs);
    if (this.#closed) {
      discard(connection);
      throw new SourceError('CLOSED', 'the reader was closed');
    }
    this.#leaderRefused = false;
    return connection;
  }

  #refused(code: number, from: number): SourceError {
    this.#leaderRefused = true;
    this.#drop();
    const { name } = this.#topic;
    return new SourceError(nameOfError(code), `${name}/${this.#partition} can't be read at ${from}`);
  }

  #drop(): void {
    if (this.#connection !== undefined) discard(this.#connection);
    this.#connection = undefined;
  }
}
