import type { SourcePosition } from '../../../chain/source-position.ts';
import type { Topic, TopicPartition } from '../../../kafka-client/brokers.ts';
import type { FetchedRange, PartitionReader } from '../../../kafka-client/fetch/partition-reader.ts';
import { describeError, kafkaErrorCode, withKafkaReason } from '../../../kafka-client/kafka-error.ts';
import { backoffMs } from '../../../timing/backoff.ts';
import { pause } from '../../../timing/pause.ts';
import { yieldEvery } from '../../../timing/yield.ts';
import type { Admission } from '../../admit/admission.ts';
import { type PreparedMessage, prepareMessage } from '../message/prepare-message.ts';
import type { KafkaIngestObserver } from '../observer.ts';
import { logCorrupt } from './ingest-halted.ts';
import { checkPosition } from './position-check.ts';
import type { BatchLimits, RangeQueue } from './range-queue.ts';

export interface PartitionFetcherOptions {
  readonly topic: Topic;
  readonly partition: number;
  readonly admission: Admission;
  readonly fromGateway: boolean;
  readonly limits: Pick<BatchLimits, 'maxBatch'>;
  readonly observer: KafkaIngestObserver;
  /** Called after each fetch that succeeded. */
  readonly onFetched: () => void;
  /** Called if the brokers don't know the topic's id any more: it may have been deleted and created again. */
  readonly onTopicGone: () => void;
}

const retryBounds = { baseMs: 50, maxMs: 2_000 };
/** Messages that are prepared before the event loop does other work: heartbeats, requests, the running transaction. */
const messagesPerTurn = 64;

/** The reading half of a partition: fetches messages, prepares them for the chain, and puts them into a queue. */
export class PartitionFetcher {
  readonly #options: PartitionFetcherOptions;
  #end: number | undefined;
  #endAskedAt: number | undefined;
  #failure: string | undefined;

  constructor(options: PartitionFetcherOptions) {
    this.#options = options;
  }

  /** End of the partition's log, as the broker last reported it. */
  get end(): number | undefined {
    return this.#end;
  }

  /** When the request was sent that reported {@link end}, by the monotonic clock. The log has reached the end by then, or later. */
  get endAskedAt(): number | undefined {
    return this.#endAskedAt;
  }

  /** Why the last fetch failed; undefined if it succeeded. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Fetches from a position on until the signal aborts. Faults of the brokers are retried.
   *
   * @param signal aborts when the queue is closed
   * @throws {IngestHalted} if the log is corrupt, or is not the log that was read before
   */
  async fetchInto(
    queue: RangeQueue,
    reader: PartitionReader,
    start: SourcePosition,
    signal: AbortSignal,
  ): Promise<void> {
    let position = start;
    let failures = 0;
    for (;;) {
      await queue.room();
      if (signal.aborted) return;
      try {
        const askedAt = performance.now();
        const fetched = await reader.fetch(position.next, position.leaderEpoch);
        this.#end = fetched.end;
        this.#endAskedAt = askedAt;
        this.#failure = undefined;
        failures = 0;
        this.#options.onFetched();
        if (fetched.next > position.next) await this.#prepare(queue, fetched, position.next);
        position = { next: fetched.next, leaderEpoch: fetched.leaderEpoch ?? position.leaderEpoch };
      } catch (error) {
        if (signal.aborted) return;
        switch (kafkaErrorCode(error)) {
          case 'SOURCE_CORRUPT':
            throw logCorrupt(this.#partition, error, position.next);
          case 'OFFSET_OUT_OF_RANGE':
          case 'LOG_DIVERGED':
            position = await this.#resume(queue, reader, position, signal);
            continue;
          case 'UNKNOWN_TOPIC_ID':
            this.#options.onTopicGone();
        }
        this.#failure = describeError(error);
        // A leader that moves causes one failure. Only further ones are worth a report.
        if (failures > 0) this.#options.observer.onProblem?.(withKafkaReason(error as Error));
        await pause(backoffMs(failures++, retryBounds), signal);
      }
    }
  }

  get #partition(): TopicPartition {
    return { topic: this.#options.topic.name, partition: this.#options.partition };
  }

  /** Puts the messages into the queue, in ranges that one transaction can store. */
  async #prepare(queue: RangeQueue, fetched: FetchedRange, from: number): Promise<void> {
    const breathe = yieldEvery(messagesPerTurn);
    let messages: PreparedMessage[] = [];
    let at = from;
    for (const message of fetched.messages) {
      await breathe();
      if (queue.closed) return;
      const { offset, leaderEpoch } = message;
      messages.push(prepareMessage(message, this.#options));
      if (messages.length < this.#options.limits.maxBatch) continue;
      queue.put({ from: at, next: offset + 1, leaderEpoch, messages, lost: false });
      at = offset + 1;
      messages = [];
    }
    const { next, leaderEpoch } = fetched;
    if (at < next) queue.put({ from: at, next, leaderEpoch, messages, lost: false });
  }

  /**
   * Goes on after the broker has refused a position. Messages that it has deleted are put into the queue as a lost range.
   *
   * @returns where to read on
   */
  async #resume(
    queue: RangeQueue,
    reader: PartitionReader,
    position: SourcePosition,
    signal: AbortSignal,
  ): Promise<SourcePosition> {
    const found = await checkPosition(reader, this.#partition, position, signal, ({ end }) => {
      this.#end = end;
    });
    if (found.log === 'readable') return position;
    const { next: from } = position;
    queue.put({ from, next: found.start, leaderEpoch: undefined, messages: [], lost: true });
    return { next: found.start, leaderEpoch: undefined };
  }
}
