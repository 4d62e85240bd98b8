import type { AuditService } from '../../../app.ts';
import { isContentError, retryReason } from '../../../chain/append-errors.ts';
import type { Batch, BatchItem } from '../../../chain/batch.ts';
import { lossRecord } from '../../../chain/service-records/source-lost.ts';
import { ServerError } from '../../../errors.ts';
import { Backoff } from '../../../kafka-client/backoff.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';
import type { IngestRange, KafkaIngestHooks, TopicPartition } from '../options.ts';
import { describe } from '../source-error.ts';
import type { BatchQueue, Piece } from './batch-queue.ts';
import { wentBack } from './halt.ts';
import type { Joiner } from './joiner.ts';
import { concerns, halves, mergeStatements, refusedEntry, stoppedTenant, withoutTenant } from './piece.ts';

export interface StoreOptions {
  readonly service: AuditService;
  readonly topic: Topic;
  readonly partition: number;
  /** Shared by all partitions. */
  readonly joiner: Joiner;
  readonly acceptRestored: boolean;
  readonly offsetsFirst: boolean;
  readonly hooks: KafkaIngestHooks;
  /** Tells Kafka the group's offset. */
  readonly commit: (next: number) => Promise<void>;
}

/** The position that the store holds is another than the one that was read on from. */
export class Reread extends Error {}

/**
 * Stores what was read of one partition, piece by piece, in the partition's order. A transaction that fails is tried again
 * for as long as it takes.
 */
export class PartitionStore {
  /** Offset of the first message that is not stored; undefined before the store was asked. */
  position: number | undefined;
  readonly #options: StoreOptions;
  readonly #signal: AbortSignal;
  #failure: { readonly reason: string; readonly text: string } | undefined;

  constructor(options: StoreOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Why the store does not take what was read; undefined where it does. */
  get failure(): { readonly reason: string; readonly text: string } | undefined {
    return this.#failure;
  }

  get #where(): TopicPartition {
    return { topic: this.#options.topic.name, partition: this.#options.partition };
  }

  /**
   * Until the queue is closed.
   *
   * @throws {Reread} or a `Halt` where the store stands elsewhere than what was read
   */
  async storeFrom(queue: BatchQueue): Promise<void> {
    for (;;) {
      const piece = await queue.take();
      if (piece === undefined) return;
      await this.#store(piece);
    }
  }

  /** Stores a piece, however long it takes: nothing is skipped. */
  async #store(whole: Piece): Promise<void> {
    const signal = this.#signal;
    const { hooks } = this.#options;
    const backoff = new Backoff(25, 3_000);
    const started = performance.now();
    let piece = whole;
    while (!signal.aborted) {
      try {
        await this.#append(piece, started);
        this.#failure = undefined;
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
        if (backoff.tries > 0) this.#failure = { reason, text: describe(error) };
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
    this.position = Math.max(this.position ?? 0, piece.next);
    for (const outcome of outcomes) {
      if (outcome !== undefined && 'deadLetter' in outcome)
        hooks.deadLetter?.(outcome.deadLetter.violations[0]!.code);
    }
    if (piece.lost) hooks.lost?.(range);
    hooks.batch?.({ ...range, items: outcomes.length, durationMs: performance.now() - started });
    await hooks.committed?.(range);
  }

  #rangeOf({ from, next }: Piece): IngestRange {
    return { ...this.#where, from, next };
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
        serviceRecords: (position) =>
          position < next
            ? [lossRecord({ topic, partition, from: position, to: next - 1 }, service.serviceTenant)]
            : [],
      }),
    };
  }

  #ahead({ details }: ServerError): Error {
    const next = Number(details.next);
    const [position, { acceptRestored }] = [this.position, this.#options];
    // The store once said that it had committed more than it has now.
    if (position !== undefined && next < position && !acceptRestored)
      return wentBack(this.#where, position, next);
    return new Reread('the store stands elsewhere');
  }
}
