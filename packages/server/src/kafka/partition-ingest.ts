import { setImmediate as turn } from 'node:timers/promises';
import type { Batch, BatchItem } from '../chain/batch.ts';
import { readPositions, rewindPosition, type SourcePosition } from '../chain/source-position.ts';
import { isContentError, retryReason } from '../chain/writer.ts';
import { ServerError } from '../errors.ts';
import type { AuditService } from '../service.ts';
import { Backoff } from './backoff.ts';
import { type BatchLimits, BatchQueue, type Entry, type Piece } from './batch-queue.ts';
import type { Brokers, Topic } from './brokers.ts';
import type { Fetches } from './fetches.ts';
import { behind, corrupt, diverged, Halt, wentBack } from './halt.ts';
import type { Joiner } from './joiner.ts';
import { readMessage } from './message.ts';
import type {
  IngestRange,
  IngestStop,
  KafkaIngestHooks,
  PartitionStatus,
  TopicPartition,
} from './options.ts';
import { type Fetched, PartitionReader, type ReaderOptions } from './partition-reader.ts';
import { concerns, halves, mergeStatements, refusedEntry, stoppedTenant, withoutTenant } from './piece.ts';
import type { ClosedBatch, Message } from './records.ts';
import { describe, kafkaCode } from './source-error.ts';
import { lossRecord } from './source-lost.ts';

export interface PartitionOptions extends BatchLimits, ReaderOptions {
  readonly service: AuditService;
  readonly brokers: Brokers;
  /** Shared by all partitions. */
  readonly fetches: Fetches;
  readonly topic: Topic;
  readonly partition: number;
  readonly fromGateway: boolean;
  /** Shared by all partitions. */
  readonly joiner: Joiner;
  readonly acceptRestored: boolean;
  readonly acceptTruncated: boolean;
  readonly offsetsFirst: boolean;
  readonly hooks: KafkaIngestHooks;
  /** The offset that the group has committed to Kafka. */
  readonly committed: () => Promise<number | undefined>;
  readonly commit: (next: number) => Promise<void>;
  /** Told that the topic is not there any more by the id that it had. */
  readonly onTopicGone: () => void;
  /** Told of what must stop the other partitions too. */
  readonly onHalt: (stop: IngestStop) => void;
}

/** The position that the store holds is another than the one that was read on from. */
class Reread extends Error {}

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
  readonly #running: Promise<void>;
  #position: number | undefined;
  #end: number | undefined;
  #readFailure: string | undefined;
  #storeFailure: { readonly reason: string; readonly text: string } | undefined;
  #stopped: IngestStop | undefined;

  constructor(options: PartitionOptions) {
    this.#options = options;
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
    return this.#position;
  }

  /** Code of why the store does not take what was read; undefined where it does. */
  get storeFailure(): string | undefined {
    return this.#storeFailure?.reason;
  }

  get status(): PartitionStatus {
    const [position, end] = [this.#position, this.#end];
    return {
      topic: this.topic.name,
      partition: this.partition,
      position,
      end,
      lag: position === undefined || end === undefined ? undefined : Math.max(0, end - position),
      failing: this.#storeFailure?.text ?? this.#readFailure,
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
          this.#options.hooks.problem?.(error as Error);
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
    this.#position = undefined;
    await this.#options.commit(start);
    const source = { clusterId: topic.clusterId, topicId: topic.id, partition };
    await rewindPosition(service.database, source, start);
    this.#position = start;
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
    this.#position = stored.next;
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
      const loops = [this.#fetchInto(queue, reader, start), this.#storeFrom(queue)];
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
        if (backoff.tries > 0) hooks.problem?.(error as Error);
        await backoff.pause(this.#stopper.signal);
      }
    }
  }

  async #prepare(queue: BatchQueue, fetched: Fetched, from: number): Promise<void> {
    const { messages, next } = fetched;
    const { service, topic, partition, fromGateway, maxBatch } = this.#options;
    const context = { gate: service.gate, topic, partition, fromGateway };
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

  async #storeFrom(queue: BatchQueue): Promise<void> {
    for (;;) {
      const piece = await queue.take();
      if (piece === undefined) return;
      await this.#store(piece);
    }
  }

  /** Stores a piece, however long it takes: nothing is skipped. */
  async #store(whole: Piece): Promise<void> {
    const { signal } = this.#stopper;
    const { hooks } = this.#options;
    const backoff = new Backoff(25, 3_000);
    const started = performance.now();
    let piece = whole;
    while (!signal.aborted) {
      try {
        await this.#append(piece, started);
        this.#storeFailure = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ServerError && error.code === 'SOURCE_POSITION_AHEAD') throw this.#ahead(error);
        const tenantId = stoppedTenant(error);
        if (tenantId !== undefined && piece.entries.some((entry) => concerns(entry, tenantId))) {
          piece = withoutTenant(piece, tenantId);
          continue;
        }
        if (isContentError(error) && piece.entries.length > 0) {
          if (piece.entries.length > 1) {
            for (const half of halves(piece)) await this.#store(half);
            return;
          }
          const refused = refusedEntry(piece.entries[0]!, error);
          if (refused !== undefined) {
            piece = { ...piece, entries: [refused] };
            continue;
          }
        }
        const reason = retryReason(error) ?? (error instanceof ServerError ? error.code : 'unknown');
        hooks.retry?.(reason);
        // One lost lock is nothing; a store that does not take it again is what readiness must tell.
        if (backoff.tries > 0) this.#storeFailure = { reason, text: describe(error) };
        if (backoff.tries === 1) hooks.problem?.(error as Error);
        await backoff.pause(signal);
      }
    }
  }

  async #append(piece: Piece, started: number): Promise<void> {
    const { joiner, hooks, offsetsFirst } = this.#options;
    const range = this.#rangeOf(piece);
    if (offsetsFirst) await this.#options.commit(piece.next);
    const { outcomes } = await joiner.append({
      batch: this.#batchOf(piece),
      ...(hooks.copying !== undefined && { copying: () => hooks.copying?.(range) }),
      ...(hooks.committing !== undefined && { committing: () => hooks.committing?.(range) }),
    });
    this.#position = Math.max(this.#position ?? 0, piece.next);
    for (const outcome of outcomes) {
      if (outcome !== undefined && 'deadLetter' in outcome)
        hooks.deadLetter?.(outcome.deadLetter.violations[0]!.code);
    }
    if (piece.lost) hooks.lost?.(range);
    hooks.batch?.({ ...range, items: outcomes.length, durationMs: performance.now() - started });
    await hooks.committed?.(range);
  }

  #rangeOf({ from, next }: Piece): IngestRange {
    return { topic: this.topic.name, partition: this.partition, from, next };
  }

  #batchOf({ from, next, leaderEpoch, entries, lost }: Piece): Batch {
    const { service, topic, partition, offsetsFirst } = this.#options;
    const items: BatchItem[] = [];
    const offsets: number[] = [];
    for (const entry of entries) {
      for (const item of entry.items) {
        items.push(item);
        offsets.push(entry.offset);
      }
    }
    const statements = mergeStatements(entries);
    if (offsetsFirst) return { items, statements };
    return {
      items,
      statements,
      range: {
        clusterId: topic.clusterId,
        topicId: topic.id,
        topic: topic.name,
        partition,
        from,
        next,
        leaderEpoch,
        offsets,
      },
      ...(lost && {
        // Under the position's lock: another member may have read some of it while it was there.
        ownRecords: (position) =>
          position < next
            ? [lossRecord({ topic, partition, from: position, to: next - 1 }, service.serviceTenant)]
            : [],
      }),
    };
  }

  #ahead({ details }: ServerError): Error {
    const next = Number(details.next);
    const [position, { acceptRestored }] = [this.#position, this.#options];
    // The store once said that it had committed more than it has now.
    if (position !== undefined && next < position && !acceptRestored)
      return wentBack(this.#where, position, next);
    return new Reread('the store stands elsewhere');
  }
}

function sizeOf(message: Message | ClosedBatch): number {
  return 'bytes' in message ? message.bytes.length : (message.value?.length ?? 0);
}
