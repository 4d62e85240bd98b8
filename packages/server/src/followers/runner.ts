import type { Database } from '../store/database.ts';
import type { Follower } from './follower.ts';
import { TenantQueue } from './tenant-queue.ts';
import { isPassing, stopAtRecord, type VisitParts, type VisitStage, visit } from './visit.ts';

export interface RunnerOptions {
  readonly database: Database;
  readonly follower: Follower;
  readonly generation: number;
  /** Tenants that are visited at the same time. */
  readonly concurrency: number;
  /** How long after a commit on this replica only one tenant is visited at a time, ms. */
  readonly busyMs: number;
  readonly isHeld: (tenantId: string) => boolean;
  readonly onRecords: (records: number) => void;
  readonly onError: (error: unknown) => void;
  readonly onStage?: ((stage: VisitStage) => void | Promise<void>) | undefined;
}

/** Records that fail so often stop the follower for their tenant. */
const maxAttempts = 5;

/** Wakes within this time share one visit, so that a busy tenant costs a few visits a second and not one per commit, ms. */
const gatherMs = 100;

/**
 * Runs one generation of one follower on this replica: visits tenants that have new records until they are read to the head. Each follower
 * has runners of its own, so none waits for another one.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #queue = new TenantQueue();
  readonly #closer = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #committedAt = Number.NEGATIVE_INFINITY;
  /** The visits that are running. */
  readonly #running = new Set<Promise<void>>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Tenants that wait for a visit. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** To be called after a commit on this replica. The tenants may be fewer than those that were written to. */
  committed(tenantIds: Iterable<string>): void {
    this.#committedAt = performance.now();
    this.wake(tenantIds);
  }

  /** Visits these tenants soon. */
  wake(tenantIds: Iterable<string>): void {
    if (this.#closer.signal.aborted) return;
    this.#queue.add(tenantIds);
    this.#schedule(gatherMs);
  }

  /** Starts no further visit, and waits for the running ones. */
  async close(): Promise<void> {
    this.#closer.abort();
    clearTimeout(this.#timer);
    this.#queue.clear();
    await Promise.all(this.#running);
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#queue.size === 0 || this.#closer.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, ms);
    this.#timer.unref();
  }

  /**
   * How many tenants to visit at once. A visit keeps the process busy for milliseconds, and a batch that is to be chained waits for each of
   * them. On two cores, with four followers: beside four lanes each, 7,800 events/s were chained of the 28,200 that the writer reaches alone, beside
   * one lane 13,700 (`npm run bench -- followers`). Chained and followed by all were 5,700 events/s with four lanes, 5,400 with one that becomes
   * four when the writer rests, and 4,600 with one. The lag at 5,000 events/s fell from 268 to 142 ms at p99. A follower whose effect is outside waits
   * for others most of the time, and one slow receiver must not hold up the other tenants, so it keeps its lanes.
   */
  get #lanes(): number {
    const { concurrency, busyMs, follower } = this.#options;
    const isBusy = performance.now() - this.#committedAt < busyMs;
    return follower.effect === 'database' && isBusy ? Math.min(1, concurrency) : concurrency;
  }

  #start(): void {
    while (this.#running.size < this.#lanes && !this.#closer.signal.aborted) {
      const tenantId = this.#queue.take(performance.now());
      if (tenantId === undefined) break;
      const visiting: Promise<void> = this.#visit(tenantId).finally(() => {
        this.#running.delete(visiting);
        this.#queue.done(tenantId);
        if (this.#queue.size > 0) this.#start();
      });
      this.#running.add(visiting);
    }
    // Tenants that wait after a failure.
    if (this.#running.size === 0) this.#schedule(gatherMs);
  }

  async #visit(tenantId: string): Promise<void> {
    const { isHeld, onRecords, onError, follower } = this.#options;
    if (!isHeld(tenantId)) return;
    const attempts = this.#queue.attemptsOf(tenantId);
    const parts: VisitParts = { ...this.#options, signal: this.#closer.signal };
    try {
      // After a failure one record at a time, so that the stop names the record that can't be applied.
      const result = await visit(parts, tenantId, attempts > 0 ? 1 : undefined);
      this.#queue.succeeded(tenantId);
      if (result.status === 'moved') {
        onRecords(result.records);
        if (result.more || attempts > 0) this.#queue.add([tenantId]);
      }
    } catch (error) {
      if (this.#closer.signal.aborted) return;
      const passing = isPassing(follower, error);
      if (!passing && attempts + 1 >= maxAttempts) {
        this.#queue.succeeded(tenantId);
        await stopAtRecord(parts, tenantId, error).catch(onError);
      } else {
        this.#queue.failed(tenantId, performance.now(), !passing);
      }
      onError(error);
    }
  }
}
