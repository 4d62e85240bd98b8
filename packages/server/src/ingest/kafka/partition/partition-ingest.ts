import type { SourcePosition } from '../../../chain/source-position.ts';
import type { Brokers, Topic } from '../../../kafka-client/brokers.ts';
import type { Fetcher } from '../../../kafka-client/fetch/fetcher.ts';
import {
  PartitionReader,
  type PartitionReaderOptions,
} from '../../../kafka-client/fetch/partition-reader.ts';
import { describeError, withKafkaReason } from '../../../kafka-client/kafka-error.ts';
import { backoffMs } from '../../../timing/backoff.ts';
import { pause } from '../../../timing/pause.ts';
import type { IngestStop, PartitionStatus } from '../status.ts';
import { IngestHalted } from './ingest-halted.ts';
import { PartitionFetcher, type PartitionFetcherOptions } from './partition-fetcher.ts';
import { PartitionStore, type PartitionStoreOptions, PositionChanged } from './partition-store.ts';
import { type BatchLimits, RangeQueue } from './range-queue.ts';
import { StoredPosition, type StoredPositionOptions } from './stored-position.ts';

export interface PartitionIngestOptions
  extends StoredPositionOptions,
    PartitionStoreOptions,
    Omit<PartitionFetcherOptions, 'limits' | 'onFetched'> {
  readonly brokers: Brokers;
  /** Shared by all partitions, and read before each fetch: they change with the number of partitions. */
  readonly limits: BatchLimits & PartitionReaderOptions;
  /** Shared by all partitions. */
  readonly fetcher: Fetcher;
  /** Reads a partition again from its start if its log is not the one that was read before. */
  readonly acceptTruncated: boolean;
  /** Called if the other partitions must stop too. */
  readonly onStoreWentBack: (stop: IngestStop) => void;
}

const retryBounds = { baseMs: 100, maxMs: 3_000 };
/** Pause before a corrupt log is read again: its next leader may have the batch undamaged. */
const corruptBounds = { baseMs: 30_000, maxMs: 30_000 };

/**
 * Brings one partition into the chains. Two loops run side by side: one fetches and prepares the next range while the other
 * stores the last one. The order of the partition is kept.
 *
 * A crash before a commit loses what was fetched; Kafka still has it, and the stored position points at it. A crash after a
 * commit loses nothing. The offset in Kafka may be behind then, which affects only the lag that Kafka reports.
 */
export class PartitionIngest {
  readonly #options: PartitionIngestOptions;
  readonly #stopper = new AbortController();
  readonly #position: StoredPosition;
  readonly #fetcher: PartitionFetcher;
  readonly #store: PartitionStore;
  readonly #running: Promise<void>;
  /** Why no position to start from could be found; undefined if one was. Owned by {@link #run}. */
  #startFailure: string | undefined;
  /** Owned by {@link #run}; a fetch that succeeds clears it. */
  #stopped: IngestStop | undefined;

  constructor(options: PartitionIngestOptions) {
    this.#options = options;
    this.#position = new StoredPosition(options);
    this.#fetcher = new PartitionFetcher({
      ...options,
      onFetched: () => {
        this.#stopped = undefined;
      },
    });
    this.#store = new PartitionStore(options, this.#position, this.#stopper.signal);
    this.#running = this.#run();
  }

  get topic(): Topic {
    return this.#options.topic;
  }

  get partition(): number {
    return this.#options.partition;
  }

  /** Offset of the first message that is not stored; undefined before it was read from the store. */
  get position(): number | undefined {
    return this.#position.next;
  }

  /** Code of the error for which ranges can't be stored now; undefined if they can. */
  get storeFailure(): string | undefined {
    return this.#store.failure?.reason;
  }

  get status(): PartitionStatus {
    const [position, end] = [this.position, this.#fetcher.end];
    return {
      topic: this.topic.name,
      partition: this.partition,
      position,
      end,
      lag: position === undefined || end === undefined ? undefined : Math.max(0, end - position),
      failing: this.#store.failure?.text ?? this.#startFailure ?? this.#fetcher.failure,
      stopped: this.#stopped,
    };
  }

  /** Moment of the monotonic clock at which every message was stored; undefined if some are not, or that is not known. */
  get drainedAt(): number | undefined {
    const { lag, failing, stopped } = this.status;
    return lag === 0 && failing === undefined && stopped === undefined ? this.#fetcher.endAskedAt : undefined;
  }

  /** Fetches nothing more, and resolves when the transaction in flight has ended. */
  stop(): Promise<void> {
    this.#stopper.abort();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopper;
    const { observer } = this.#options;
    let failures = 0;
    let resetTo: number | undefined;
    while (!signal.aborted) {
      try {
        if (resetTo !== undefined) await this.#position.reset(resetTo);
        resetTo = undefined;
        const start = await this.#position.read();
        this.#startFailure = undefined;
        failures = 0;
        await this.#consume(start);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof PositionChanged) continue;
        if (!(error instanceof IngestHalted)) {
          this.#startFailure = describeError(error);
          observer.onProblem?.(withKafkaReason(error as Error));
          await pause(backoffMs(failures++, retryBounds), signal);
          continue;
        }
        observer.onProblem?.(error);
        if (error.restart !== undefined && this.#options.acceptTruncated) {
          resetTo = error.restart;
          continue;
        }
        if (!(await this.#halt(error.stop))) return;
      }
    }
  }

  /** @returns whether to try again: an operator must look at every stop except a corrupt log, which another leader may cure */
  async #halt(stop: IngestStop): Promise<boolean> {
    this.#stopped = stop;
    if (stop.code === 'SOURCE_AHEAD_OF_STORE') this.#options.onStoreWentBack(stop);
    if (stop.code !== 'SOURCE_CORRUPT') return false;
    await pause(backoffMs(0, corruptBounds), this.#stopper.signal);
    return true;
  }

  /** Runs both loops. If one of them ends, so does the other; a transaction in flight is waited for. */
  async #consume(start: SourcePosition): Promise<void> {
    const { brokers, fetcher, topic, partition, limits } = this.#options;
    const round = new AbortController();
    const signal = AbortSignal.any([this.#stopper.signal, round.signal]);
    const queue = new RangeQueue(limits);
    const reader = new PartitionReader(brokers, fetcher, topic, partition, limits);
    const end = () => {
      queue.close();
      reader.close();
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    const loops = [this.#fetcher.fetchInto(queue, reader, start, signal), this.#store.storeFrom(queue)];
    const ended = await Promise.allSettled(loops.map((loop) => loop.finally(() => round.abort())));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
  }
}
