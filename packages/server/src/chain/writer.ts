import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { backoffMs } from '../timing/backoff.ts';
import { type AppendOptions, type AppendResult, appendBatch } from './append-batch.ts';
import {
  asUnavailable,
  isContentError,
  isStoreGone,
  refusedByStore,
  retryReason,
  tenantsAhead,
} from './append-errors.ts';
import type { Batch, BatchBookkeeping, BatchItem, ItemOutcome, ProducerStatement } from './batch.ts';
import { serviceTenantOf } from './book-options.ts';

export interface WriterOptions extends AppendOptions {
  /** Maximum number of events in one transaction, unless a single submission has more. @defaultValue 1000 */
  readonly maxBatch?: number;
  /** How often a failed transaction is tried again before its submissions are refused. @defaultValue 3 */
  readonly maxRetries?: number;
  /** Called after each committed transaction. */
  readonly onCommit?: (batch: { readonly events: number; readonly durationMs: number }) => void;
  /** Called before a transaction is tried again, with the reason: a SQLSTATE or `STORE_UNAVAILABLE`. */
  readonly onRetry?: (reason: string) => void;
}

/** Maximum length of a transaction's events, characters, unless a single submission is longer. Bounds the time of its locks. */
const maxBatchLength = 8 * 1024 * 1024;

/** Pauses between the attempts of one transaction. */
const retryBackoff = { baseMs: 50, maxMs: 3_000 };

interface Submission {
  readonly items: readonly BatchItem[];
  readonly statements: readonly ProducerStatement[];
  readonly bookkeeping: BatchBookkeeping | undefined;
  readonly resolve: (outcomes: readonly ItemOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit of submissions. While one transaction commits, the next submissions are collected, so batches grow with the
 * load and an idle service answers at once.
 *
 * The queue is in memory. A crash loses it, but none of its submissions was acknowledged.
 */
export class Writer {
  readonly #database: Database;
  readonly #options: WriterOptions;
  readonly #maxBatch: number;
  /** `submit` appends, {@link #run} takes from the front. */
  #queue: Submission[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(database: Database, options: WriterOptions) {
    this.#database = database;
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? 1_000;
  }

  /** Number of submissions that wait for a transaction. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Chains these items, in their order.
   *
   * @param statements what the producers declared about their numbers
   * @param bookkeeping books of the caller that change with the items. The submission has a transaction of its own then
   * @returns one outcome for each item, after the commit
   * @throws {ServerError} `CLOSING`, `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN` or `STORE_UNAVAILABLE`. The items may or may not
   *   be chained: submit the same items again. With `CLOCK_BEHIND_CHAIN`, the items of all tenants that
   *   `details.tenant_ids` does not name are chained
   */
  submit(
    items: readonly BatchItem[],
    statements: readonly ProducerStatement[] = [],
    bookkeeping?: BatchBookkeeping,
  ): Promise<readonly ItemOutcome[]> {
    if (this.#closed) return Promise.reject(new ServerError('CLOSING', 'the service is shutting down'));
    if (items.length === 0 && statements.length === 0 && bookkeeping === undefined)
      return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#queue.push({ items, statements, bookkeeping, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Refuses new submissions, and resolves when all earlier ones have been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Wait one turn of the event loop, so that requests that arrive together share a transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#commit(this.#take());
    // In the same turn as the last look at the queue: a submission between the two would never be taken.
    this.#running = undefined;
  }

  #take(): Submission[] {
    let events = 0;
    let length = 0;
    let count = 0;
    while (count < this.#queue.length) {
      const { items, bookkeeping } = this.#queue[count]!;
      events += items.length;
      for (const item of items)
        length +=
          'deadLetter' in item
            ? item.deadLetter.raw.length
            : item.canonical.length + (item.received?.canonical.length ?? 0);
      const isAlone = bookkeeping !== undefined || this.#queue[0]!.bookkeeping !== undefined;
      if (count > 0 && (isAlone || events > this.#maxBatch || length > maxBatchLength)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(submissions: readonly Submission[]): Promise<void> {
    try {
      const outcomes = await this.#append({
        items: submissions.flatMap((submission) => submission.items),
        statements: submissions.flatMap((submission) => submission.statements),
        ...submissions[0]!.bookkeeping,
      });
      let at = 0;
      for (const submission of submissions) {
        submission.resolve(outcomes.slice(at, at + submission.items.length));
        at += submission.items.length;
      }
    } catch (error) {
      if (isStoreGone(error)) {
        for (const submission of submissions) submission.reject(error);
        return;
      }
      if (submissions.length === 1) return await this.#refuse(submissions[0]!, error);
      // One of the submissions may have failed for its tenant alone: store each on its own.
      for (const submission of submissions) await this.#commit([submission]);
    }
  }

  /**
   * Refuses a submission. If it failed because the heads of some tenants are ahead of the clock, the events of all other
   * tenants are chained first. The client sends everything again and gets duplicates for those.
   */
  async #refuse(submission: Submission, error: unknown): Promise<void> {
    const ahead = tenantsAhead(error);
    // The chain of the service's tenant records the dead letters of other tenants too.
    const items = submission.items.filter((item) =>
      'deadLetter' in item
        ? !ahead.has(item.deadLetter.tenantId) && !ahead.has(serviceTenantOf(this.#options))
        : !ahead.has(item.event.tenant_id),
    );
    if (ahead.size > 0 && items.length > 0) await this.#append({ items }).catch(() => undefined);
    submission.reject(error);
  }

  async #append(batch: Batch): Promise<readonly ItemOutcome[]> {
    const { items } = batch;
    try {
      return await this.#appendWithRetries(batch);
    } catch (error) {
      if (!isContentError(error) || items.length === 0) throw error;
      if (items.length > 1) {
        const half = items.length >> 1;
        const first = await this.#append({ items: items.slice(0, half) });
        // With the second half: a producer's declaration of its last number must not be stored before its events.
        return [...first, ...(await this.#append({ ...batch, items: items.slice(half) }))];
      }
      return await this.#appendWithRetries({ ...batch, items: [refusedByStore(items[0]!, error)] });
    }
  }

  async #appendWithRetries(batch: Batch): Promise<readonly ItemOutcome[]> {
    for (let attempt = 0; ; attempt++) {
      const started = performance.now();
      try {
        const { outcomes }: AppendResult = await appendBatch(this.#database, batch, this.#options);
        this.#options.onCommit?.({ events: batch.items.length, durationMs: performance.now() - started });
        return outcomes as readonly ItemOutcome[];
      } catch (error) {
        const reason = retryReason(error);
        if (reason === undefined) throw error;
        if (attempt >= (this.#options.maxRetries ?? 3)) throw asUnavailable(error);
        this.#options.onRetry?.(reason);
        await delay(backoffMs(attempt, retryBackoff));
      }
    }
  }
}
