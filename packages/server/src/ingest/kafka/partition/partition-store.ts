import { retryReason } from '../../../chain/append-errors.ts';
import type { Batch } from '../../../chain/batch.ts';
import { lossRecord } from '../../../chain/service-records/source-lost.ts';
import { ServerError } from '../../../errors.ts';
import type { Topic, TopicPartition } from '../../../kafka-client/brokers.ts';
import { describeError } from '../../../kafka-client/kafka-error.ts';
import { backoffMs } from '../../../timing/backoff.ts';
import { pause } from '../../../timing/pause.ts';
import type { KafkaIngestObserver } from '../observer.ts';
import type { GroupCommit } from './group-commit.ts';
import { storeWentBack } from './ingest-halted.ts';
import { type PreparedRange, toBatch } from './prepared-range.ts';
import type { RangeQueue } from './range-queue.ts';
import { replaceRefused } from './store-refusal.ts';
import type { StoredPosition } from './stored-position.ts';

export interface PartitionStoreOptions {
  readonly topic: Topic;
  readonly partition: number;
  /** Tenant of the records that the service itself writes. */
  readonly serviceTenant: string;
  /** The clock of this process, milliseconds since the epoch. */
  readonly now: () => number;
  /** Shared by all partitions. */
  readonly groupCommit: GroupCommit;
  readonly acceptRestored: boolean;
  readonly observer: KafkaIngestObserver;
}

/** The store's position is not the one that was read on from: the partition must be read again, from the store's position. */
export class PositionChanged extends Error {
  override readonly name = 'PositionChanged';
}

const retryBounds = { baseMs: 25, maxMs: 3_000 };

/** The writing half of a partition: stores its ranges in order. A transaction that fails is retried until it succeeds. */
export class PartitionStore {
  readonly #options: PartitionStoreOptions;
  readonly #position: StoredPosition;
  readonly #signal: AbortSignal;
  #failure: { readonly reason: string; readonly text: string } | undefined;

  /** @param signal aborts when the partition is stopped */
  constructor(options: PartitionStoreOptions, position: StoredPosition, signal: AbortSignal) {
    this.#options = options;
    this.#position = position;
    this.#signal = signal;
  }

  /** Why ranges can't be stored now; undefined if they can. */
  get failure(): { readonly reason: string; readonly text: string } | undefined {
    return this.#failure;
  }

  /**
   * Stores the ranges of a queue until it is closed.
   *
   * @throws {PositionChanged} if another replica has changed the position
   * @throws {IngestHalted} `SOURCE_AHEAD_OF_STORE`
   */
  async storeFrom(queue: RangeQueue): Promise<void> {
    for (;;) {
      const range = await queue.take();
      if (range === undefined) return;
      await this.#store(range);
    }
  }

  async #store(whole: PreparedRange): Promise<void> {
    const { observer } = this.#options;
    const started = performance.now();
    let range = whole;
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        await this.#append(range, started);
        this.#failure = undefined;
        return;
      } catch (error) {
        if (this.#signal.aborted) return;
        if (error instanceof ServerError && error.code === 'SOURCE_POSITION_AHEAD') {
          throw this.#positionChanged(error);
        }
        const replacements = replaceRefused(range, error, this.#options.now());
        if (replacements?.length === 1) {
          range = replacements[0]!;
          continue;
        }
        if (replacements !== undefined) {
          for (const part of replacements) await this.#store(part);
          return;
        }
        const reason = retryReason(error) ?? (error instanceof ServerError ? error.code : 'unknown');
        observer.onRetry?.(reason);
        // Losing a lock once is normal. A second failure makes the service unready, and is reported once.
        if (failures > 0) this.#failure = { reason, text: describeError(error) };
        if (failures === 1) observer.onProblem?.(error as Error);
        await pause(backoffMs(failures++, retryBounds), this.#signal);
      }
    }
  }

  async #append(range: PreparedRange, started: number): Promise<void> {
    const { groupCommit, observer } = this.#options;
    const { outcomes } = await groupCommit.append(this.#toBatch(range));
    // The range is durable. A crash from here on loses nothing: the next owner reads the position from the store.
    const { from, next } = range;
    this.#position.advance(next);
    for (const outcome of outcomes) {
      if (outcome === undefined || !('deadLetter' in outcome)) continue;
      observer.onDeadLetter?.(outcome.deadLetter.violations[0]!.code);
    }
    const stored = { ...this.#partition, from, next };
    if (range.lost) observer.onLost?.(stored);
    observer.onBatch?.({ ...stored, items: outcomes.length, durationMs: performance.now() - started });
  }

  #toBatch(range: PreparedRange): Batch {
    const { topic, partition, serviceTenant } = this.#options;
    const batch = toBatch(range, topic, partition);
    if (!range.lost) return batch;
    const to = range.next - 1;
    return {
      ...batch,
      // Called under the lock of the position: another replica may have read a part of the range before it was deleted.
      serviceRecords: (position) =>
        position <= to ? [lossRecord({ topic, partition, from: position, to }, serviceTenant)] : [],
    };
  }

  get #partition(): TopicPartition {
    return { topic: this.#options.topic.name, partition: this.#options.partition };
  }

  #positionChanged({ details }: ServerError): Error {
    const stored = Number(details.next);
    const reached = this.#position.next;
    // The store has committed messages up to `reached`, and does not have them any more.
    if (reached !== undefined && stored < reached && !this.#options.acceptRestored) {
      return storeWentBack(this.#partition, reached, stored);
    }
    return new PositionChanged(`the store's position is ${stored}`);
  }
}
