import { setImmediate as turn } from 'node:timers/promises';
import { readPositions, rewindPosition, type SourcePosition } from '../../../chain/source-position.ts';
import { Backoff } from '../../../kafka-client/backoff.ts';
import type { Brokers, Topic } from '../../../kafka-client/brokers.ts';
import type { Fetches } from '../../../kafka-client/fetch/fetches.ts';
import type { Message } from '../../../kafka-client/records/record-batch.ts';
import type { ClosedBatch } from '../../../kafka-client/records/records.ts';
import type { IngestStop, PartitionStatus, TopicPartition } from '../options.ts';
import { describe, kafkaCode, named } from '../source-error.ts';
import { type BatchLimits, BatchQueue, type Entry } from './batch-queue.ts';
import { behind, corrupt, diverged, Halt, wentBack } from './halt.ts';
import { readMessage } from './message.ts';
import { type Fetched, PartitionReader, type ReaderOptions } from './partition-reader.ts';
import { PartitionStore, Reread, type StoreOptions } from './partition-store.ts';

export interface PartitionOptions extends BatchLimits, ReaderOptions, StoreOptions {
  readonly brokers: Brokers;
  /** Shared by all partitions. */
  readonly fetches: Fetches;
  readonly fromGateway: boolean;
  readonly acceptTruncated: boolean;
  /** The offset that the group has committed to Kafka. */
  readonly committed: () => Promise<number | undefined>;
  /** Told that the topic is not there any more by the id that it had. */
  readonly onTopicGone: () => void;
  /** Told of what must stop the other partitions too. */
  readonly onHalt: (stop: IngestStop) => void;
}

/** Messages that are prepared before the event loop gets its turn. */
const messagesPerTurn = 64;
/** Pause before a partition that could not be read is tried again, ms. */
const corruptPauseMs = 30_000;
/** Looks at the end of a log before it is believed to lie behind the store, and the pause between them, ms. */
const looksAtEnd = 4;
const endPauseMs = 500;

/**
 * One partition on its way into the chains. Two loops: one fetches and prepares, the other stores; so the next batch is
 * fetched and validated while one commits, and the order of the partition is kept.
 *
 * What a crash loses, by station: before the commit, what was fetched, which Kafka still has and the stored position
 * points at; after it, nothing, and Kafka's own offset, which decides nothing, is behind until somebody commits it.
 */
export class PartitionIngest {
  readonly #options: PartitionOptions;
  readonly #stopper = new AbortController();
  readonly #store: PartitionStore;
  readonly #running: Promise<void>;
  #end: number | undefined;
  #readFailure: string | undefined;
  #stopped: IngestStop | undefined;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.#store = new PartitionStore(options, this.#stopper.signal);
    this.#running = this.#run();
  }

  get topic(): Topic {
    return this.#options.topic;
  }

  get partition(): number {
    return this.#options.partition;
  }

  get #where(): TopicPartition {
    return { topic: this.topic.name, partition: this.partition };
  }

  /** Offset of the first message that is not stored; undefined before the store was asked. */
  get position(): number | undefined {
    return this.#store.position;
  }

  /** Code of why the store does not take what was read; undefined where it does. */
  get storeFailure(): string | undefined {
    return this.#store.failure?.reason;
  }

  get status(): PartitionStatus {
    const [position, end] = [this.#store.position, this.#end];
    return {
      topic: this.topic.name,
      partition: this.partition,
      position,
      end,
      lag: position === undefined || end === undefined ? undefined : Math.max(0, end - position),
      failing: this.#store.failure?.text ?? this.#readFailure,
      stopped: this.#stopped,
    };
  }

  /** Fetches nothing more, and resolves when the transaction that runs has ended. */
  stop(): Promise<void> {
    this.#stopper.abort();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopper;
    const backoff = new Backoff(100, 3_000);
    let restart: number | undefined;
    while (!signal.aborted) {
      try {
        if (restart !== undefined) await this.#startOver(restart);
        restart = undefined;
        const start = await this.#startingPoint();
        this.#readFailure = undefined;
        backoff.reset();
        await this.#consume(start);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Reread) continue;
        if (!(error instanceof Halt)) {
          this.#readFailure = describe(error);
          this.#options.hooks.problem?.(named(error as Error));
          await backoff.pause(signal);
          continue;
        }
        this.#options.hooks.problem?.(error);
        if (error.restart !== undefined && this.#options.acceptTruncated) {
          restart = error.restart;
          continue;
        }
        this.#stopped = error.stop;
        if (error.stop.code === 'SOURCE_AHEAD_OF_STORE') this.#options.onHalt(error.stop);
        // A damaged batch may be whole on the next leader; nothing was skipped. The others are for somebody to look at.
        if (error.stop.code !== 'SOURCE_CORRUPT') return;
        await new Backoff(corruptPauseMs, corruptPauseMs).pause(signal);
      }
    }
  }

  /**
   * Sets the position back to where the log starts, whose messages are others than those that were read; those that were
   * stored are told by their ids, and dropped. Kafka is told first: a crash between the two leaves the store ahead, which
   * is nothing new, and not behind, which would look like a backup.
   */
  async #startOver(start: number): Promise<void> {
    const { service, topic, partition } = this.#options;
    // Whoever tells Kafka how far partitions are must not tell it of the old position behind this.
    this.#store.position = undefined;
    await this.#options.commit(start);
    const source = { clusterId: topic.clusterId, topicId: topic.id, partition };
    await rewindPosition(service.database, source, start);
    this.#store.position = start;
  }

  /**
   * The stored position, 0 where there is none. Kafka's committed offset only shows whether the store has gone back: it is
   * committed after the store's, so it can never be ahead of it. It is asked for first, or another member's progress
   * between the two questions would look like that.
   *
   * @throws {Halt} `SOURCE_AHEAD_OF_STORE`
   */
  async #startingPoint(): Promise<SourcePosition> {
    const { service, topic, partition, acceptRestored, offsetsFirst } = this.#options;
    const committed = await this.#options.committed();
    if (offsetsFirst) return { next: committed ?? 0, leaderEpoch: undefined };
    const positions = await readPositions(service.database, {
      clusterId: topic.clusterId,
      topic: topic.name,
      partition,
    });
    const stored = positions.get(topic.id) ?? { next: 0, leaderEpoch: undefined };
    // The brokers may have kept the group's offset of an earlier topic of this name, which the store has reached.
    const reached = Math.max(0, ...[...positions.values()].map(({ next }) => next));
    if (committed !== undefined && committed > reached && !acceptRestored)
      throw wentBack(this.#where, committed, stored.next);
    this.#store.position = stored.next;
    return stored;
  }

  async #consume(start: SourcePosition): Promise<void> {
    const { signal } = this.#stopper;
    const { brokers, fetches, topic, partition } = this.#options;
    const queue = new BatchQueue(this.#options);
    const reader = new PartitionReader(brokers, fetches, topic, partition, this.#options);
    const end = () => {
      queue.close();
      reader.close();
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      // Each ends when the other has: a transaction that runs is waited for.
      const loops = [this.#fetchInto(queue, reader, start), this.#store.storeFrom(queue)];
      const ended = await Promise.allSettled(loops.map((loop) => loop.finally(end)));
      for (const each of ended) if (each.status === 'rejected') throw each.reason;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  async #fetchInto(queue: BatchQueue, reader: PartitionReader, start: SourcePosition): Promise<void> {
    const { hooks } = this.#options;
    const backoff = new Backoff(50, 2_000);
    let { next: at, leaderEpoch } = start;
    for (;;) {
      await queue.room();
      if (queue.closed) return;
      try {
        const fetched = await reader.fetch(at, leaderEpoch);
        this.#end = fetched.end;
        this.#readFailure = undefined;
        this.#stopped = undefined;
        backoff.reset();
        if (fetched.next > at) await this.#prepare(queue, fetched, at);
        at = fetched.next;
        leaderEpoch = fetched.leaderEpoch ?? leaderEpoch;
      } catch (error) {
        if (queue.closed) return;
        const code = kafkaCode(error);
        if (code === 'SOURCE_CORRUPT') throw corrupt(this.#where, error, at);
        if (code === 'OFFSET_OUT_OF_RANGE' || code === 'LOG_DIVERGED') {
          const goOn = await this.#outOfRange(queue, reader, { next: at, leaderEpoch });
          ({ next: at, leaderEpoch } = goOn);
          continue;
        }
        if (code === 'UNKNOWN_TOPIC_ID') this.#options.onTopicGone();
        this.#readFailure = describe(error);
        // A leader that moves is nothing to tell of, unless nobody leads.
        if (backoff.tries > 0) hooks.problem?.(named(error as Error));
        await backoff.pause(this.#stopper.signal);
      }
    }
  }

  async #prepare(queue: BatchQueue, fetched: Fetched, from: number): Promise<void> {
    const { messages, next } = fetched;
    const { service, topic, partition, fromGateway, maxBatch } = this.#options;
    const context = { admission: service.admission, topic, partition, fromGateway };
    let entries: Entry[] = [];
    let at = from;
    for (const [index, message] of messages.entries()) {
      // Heartbeats, requests and the batch that is being stored get their turns between.
      if (index % messagesPerTurn === messagesPerTurn - 1) await turn();
      if (queue.closed) return;
      const { offset, leaderEpoch } = message;
      entries.push({ offset, leaderEpoch, size: sizeOf(message), ...readMessage(message, context) });
      if (entries.length < maxBatch) continue;
      queue.put({ from: at, next: offset + 1, leaderEpoch, entries, lost: false });
      at = offset + 1;
      entries = [];
    }
    if (at < next) queue.put({ from: at, next, leaderEpoch: fetched.leaderEpoch, entries, lost: false });
  }

  /** @returns where to read on */
  async #outOfRange(
    queue: BatchQueue,
    reader: PartitionReader,
    position: SourcePosition,
  ): Promise<SourcePosition> {
    const { next: at, leaderEpoch } = position;
    for (let look = 1; ; look++) {
      const { start, end } = await reader.bounds();
      this.#end = end;
      if (at < start) {
        queue.put({ from: at, next: start, leaderEpoch: undefined, entries: [], lost: true });
        return { next: start, leaderEpoch: undefined };
      }
      if (at <= end && leaderEpoch === undefined) return position;
      const known = leaderEpoch === undefined ? undefined : await reader.endOfEpoch(leaderEpoch);
      if (known !== undefined && known.leaderEpoch === leaderEpoch && at <= known.end) return position;
      // A new leader may need a moment until it knows how far its log is committed.
      if (look === looksAtEnd) {
        if (at > end) throw behind(this.#where, position, start, end);
        throw diverged(this.#where, position, start, known);
      }
      await new Backoff(endPauseMs, endPauseMs).pause(this.#stopper.signal);
      if (queue.closed) return position;
    }
  }
}

function sizeOf(message: Message | ClosedBatch): number {
  return 'bytes' in message ? message.bytes.length : (message.value?.length ?? 0);
}
