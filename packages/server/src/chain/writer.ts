import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../errors.ts';
import { type Database, sqlState } from '../store/database.ts';
import { type AppendOptions, type AppendResult, appendBatch } from './append-batch.ts';
import type { Batch, BatchItem, ItemOutcome, ProducerStatement } from './batch.ts';
import { toDeadLetter } from './dead-letters.ts';

export interface WriterOptions extends AppendOptions {
  /** Most events of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number;
  /** Transactions that are tried again before a submission is refused as unavailable. @defaultValue 3 */
  readonly maxRetries?: number;
  /** Told of each committed transaction. */
  readonly onCommit?: (batch: { readonly events: number; readonly durationMs: number }) => void;
  readonly onRetry?: (reason: string) => void;
}

/** Characters of a transaction's events, at most, but for a submission that is longer alone: it must not hold locks long. */
const maxBatchLength = 8 * 1024 * 1024;

interface Submission {
  readonly items: readonly BatchItem[];
  readonly statements: readonly ProducerStatement[];
  readonly resolve: (outcomes: readonly ItemOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers submissions into transactions. While one commits, the next gathers what comes in, so batches grow with the
 * load and an idle service answers at once.
 *
 * The queue is in memory: a crash loses what is in it, and nobody has been told that any of it was safe.
 */
export class Writer {
  readonly #database: Database;
  readonly #options: WriterOptions;
  readonly #maxBatch: number;
  /** Owned by {@link #run}; submissions are appended by `submit`. */
  #queue: Submission[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(database: Database, options: WriterOptions) {
    this.#database = database;
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? 1_000;
  }

  /** Submissions that wait for a transaction. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Chains what is given, in its order.
   *
   * @param statements what the producers of the items said beside them
   * @returns one outcome for each item, once everything is committed
   * @throws {ServerError} `CLOSING`, `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN` or `STORE_UNAVAILABLE`: nothing is known to
   *   have been chained; the same items may be submitted again. With `CLOCK_BEHIND_CHAIN`, what belongs to other tenants
   *   than those of `details.tenant_ids` has been
   */
  submit(
    items: readonly BatchItem[],
    statements: readonly ProducerStatement[] = [],
  ): Promise<readonly ItemOutcome[]> {
    if (this.#closed) return Promise.reject(new ServerError('CLOSING', 'the service is shutting down'));
    if (items.length === 0 && statements.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#queue.push({ items, statements, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing more, and resolves when everything that was taken is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the event loop: requests that arrived together share a transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#commit(this.#take());
    // In the same turn as the last look at the queue, so that nobody can queue between the two and be forgotten.
    this.#running = undefined;
  }

  #take(): Submission[] {
    let events = 0;
    let length = 0;
    let count = 0;
    while (count < this.#queue.length) {
      const { items } = this.#queue[count]!;
      events += items.length;
      for (const item of items)
        length += 'deadLetter' in item ? item.deadLetter.raw.length : item.canonical.length;
      if (count > 0 && (events > this.#maxBatch || length > maxBatchLength)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(submissions: readonly Submission[]): Promise<void> {
    try {
      const outcomes = await this.#append({
        items: submissions.flatMap((submission) => submission.items),
        statements: submissions.flatMap((submission) => submission.statements),
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
      // One tenant's trouble must not be another's: each alone.
      for (const submission of submissions) await this.#commit([submission]);
    }
  }

  /**
   * Refuses a submission. Where only the clock is in the way of some tenants, the events of all others are chained before:
   * whoever sends the same events again finds them there.
   */
  async #refuse(submission: Submission, error: unknown): Promise<void> {
    const ahead = tenantsAhead(error);
    const items = submission.items.filter((item) => 'deadLetter' in item || !ahead.has(item.event.tenant_id));
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
        // What a producer says of its last number must not come before its events.
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
        await delay(25 * 2 ** attempt);
      }
    }
  }
}

/** Deadlock, lock time-out, ended by an administrator or an evicting successor, serialisation, connection lost. */
const retriedStates = new Set(['40P01', '40001', '55P03', '57P01']);

export function retryReason(error: unknown): string | undefined {
  if (error instanceof ServerError) return error.code === 'STORE_UNAVAILABLE' ? error.code : undefined;
  const state = sqlState(error);
  return state !== undefined && retriedStates.has(state) ? state : undefined;
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof ServerError) return error;
  return new ServerError('STORE_UNAVAILABLE', 'the store could not take the batch', { cause: error });
}

/** Tenants whose chains can't be extended before the store's clock is set right. */
function tenantsAhead(error: unknown): ReadonlySet<unknown> {
  const behind = error instanceof ServerError && error.code === 'CLOCK_BEHIND_CHAIN';
  return new Set(behind ? (error.details.tenant_ids as readonly string[]) : []);
}

/** The store itself is away, whoever asks; not a lock that one tenant's batch could not have. */
function isStoreGone(error: unknown): boolean {
  if (!(error instanceof ServerError) || error.code !== 'STORE_UNAVAILABLE') return false;
  return !retriedStates.has(sqlState(error.cause) ?? '');
}

/** The store refuses what an event holds (data exceptions, constraints, limits), not the transaction as such. */
export function isContentError(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (/^(22|54)/.test(state) || (state.startsWith('23') && state !== '23505'));
}

/** An event that passed admission and that the store nevertheless can't hold: kept as a dead letter, never in the way. */
export function refusedByStore(item: BatchItem, error: unknown): BatchItem {
  if ('deadLetter' in item) throw error;
  const violations = [
    { code: 'STORE_REFUSED', pointer: '', message: `the store refused the event (${sqlState(error)})` },
  ];
  return { deadLetter: toDeadLetter(item.canonical, item.ingest, violations), ingest: item.ingest };
}
