/**
 * Moves events from the outbox to the transport: one batch in flight, in order, until it is settled. Nothing here
 * is durable; a crash leaves the outbox as it was, and the same events are sent again under the same identities.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../clock.ts';
import {
  type ItemResult,
  readFailure,
  type Transport,
  TransportError,
  type TransportFailure,
} from '../transport/transport.ts';
import type { Counters } from './counters.ts';
import type { Load, Outbox } from './entry.ts';
import { type RetryOptions, retryDelayMs } from './retry.ts';
import type { Settlement } from './settlement.ts';

export interface PumpOptions extends RetryOptions {
  readonly service: string;
  /** @defaultValue 1000 */
  readonly batchSize: number;
  readonly maxBatchBytes: number;
  /** How long an event waits for company. @defaultValue 1000 */
  readonly flushIntervalMs: number;
}

export interface PumpParts {
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly settlement: Settlement;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: () => number;
  /** Makes the events' texts fit to leave the process (redaction). */
  readonly prepare: (entries: Load['entries']) => Promise<void>;
  /** So many events have left the outbox; none, when a batch has failed for now. */
  readonly onProgress: (removed: number) => void;
  /** A send took this long, successful or not. */
  readonly onSend?: ((seconds: number) => void) | undefined;
}

const maxGapsPerBatch = 1_000;
/** A service behind a small limit still gets batches of some use. */
const smallestBatchBytes = 64 * 1024;
const closingPauseMs = 250;

/**
 * Batches mix requests: one must not be sent in the context of whichever emitted first, where tracing would book it and
 * the request's own storage would stay alive with the connection.
 */
const outsideRequests = AsyncLocalStorage.snapshot();

export class Pump {
  readonly #options: PumpOptions;
  readonly #parts: PumpParts;
  readonly #abort = new AbortController();
  /** Set while the loop runs; the rest is owned by it. */
  #loop: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #endPause: (() => void) | undefined;
  #demanded = false;
  #closing = false;
  #failing = false;
  #tries = 0;
  #maxEvents: number;
  #maxBytes: number;

  constructor(options: PumpOptions, parts: PumpParts) {
    this.#options = options;
    this.#parts = parts;
    this.#maxEvents = options.batchSize;
    this.#maxBytes = options.maxBatchBytes;
  }

  /** Something was pushed: send when a batch is full, or when the interval is over. */
  wake(): void {
    if (this.#loop !== undefined) return;
    if (this.#parts.outbox.size >= this.#options.batchSize) this.#start();
    else this.#cancelTimer ??= this.#schedule(this.#options.flushIntervalMs);
  }

  /** Somebody waits: send until the outbox is empty, without waiting for company. */
  demand(): void {
    this.#demanded = true;
    if (this.#loop === undefined) this.#start();
  }

  /** Nothing more will come: cuts a pause short, once, so that the last try is not left out. */
  hurry(): void {
    this.#closing = true;
    this.demand();
    this.#endPause?.();
  }

  /** Gives up: aborts what is in flight. Resolves when nothing touches the outbox any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancelTimer?.();
    this.#endPause?.();
    await this.#loop;
  }

  /** The last batch failed each of its tries, and its successors wait behind it. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Tries that have ended, well or not. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * Sends declarations without events, again and again until they are taken, or refused for good, or {@link stop} is
   * called. Throws what the transport throws.
   *
   * @param onFailure told of each try that failed and is not the last
   */
  async declare(
    batch: Parameters<Transport['send']>[0],
    onFailure: (thrown: unknown) => void,
  ): Promise<void> {
    const { signal } = this.#abort;
    this.#closing = true;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#parts.transport.send(batch, signal);
        return;
      } catch (thrown) {
        const { retryable, retryAfterMs } = readFailure(thrown);
        if (!retryable || signal.aborted) throw thrown;
        onFailure(thrown);
        await this.#pause(attempt, retryAfterMs);
        if (signal.aborted) throw thrown;
      }
    }
  }

  #schedule(ms: number): () => void {
    return this.#parts.clock.schedule(ms, () => this.#start(), false);
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#loop !== undefined || this.#abort.signal.aborted) return;
    // The caller of emit() must not pay for making a batch.
    this.#loop = outsideRequests(() =>
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run()),
    );
  }

  async #run(): Promise<void> {
    try {
      do {
        const load = await this.#parts.outbox.next(this.#maxEvents, this.#maxBytes);
        if (load === undefined) break;
        await this.#deliver(load);
      } while (!this.#abort.signal.aborted && this.#due());
    } catch (thrown) {
      // A fault of ours must not become an unhandled rejection in the application; the events are still there.
      this.#parts.settlement.fault(thrown);
      this.#demanded = false;
    } finally {
      this.#loop = undefined;
      if (this.#parts.outbox.size === 0) this.#demanded = false;
      else if (!this.#abort.signal.aborted)
        this.#cancelTimer ??= this.#schedule(this.#options.flushIntervalMs);
    }
  }

  #due(): boolean {
    const { outbox, clock } = this.#parts;
    if (outbox.size === 0) return outbox.owes;
    if (this.#demanded || outbox.size >= this.#options.batchSize) return true;
    return clock.now() - (outbox.oldest ?? clock.now()) >= this.#options.flushIntervalMs;
  }

  async #deliver(load: Load): Promise<void> {
    const { counters, settlement } = this.#parts;
    await this.#parts.prepare(load.entries);
    const texts = load.entries.map((entry) => entry.text);
    const gaps = load.ledger.gaps(maxGapsPerBatch);
    const delivery = {
      producer_id: load.ledger.producerId,
      service: this.#options.service,
      sequences: load.entries.map((entry) => entry.sequence),
      gaps,
      final: load.final ?? [],
    };
    for (let attempt = 0; !this.#abort.signal.aborted; attempt++) {
      if (attempt > 0) counters.retries++;
      const outcome = await this.#try({ events: texts, delivery }, load);
      if (outcome.results !== undefined) {
        load.ledger.declared(gaps.length);
        settlement.results(load, outcome.results);
        this.#removed(load);
        this.#maxEvents = Math.min(this.#options.batchSize, this.#maxEvents * 2);
        return;
      }
      if (this.#abort.signal.aborted) return;
      const { failure, thrown } = outcome;
      if (failure.tooLarge === true && load.entries.length > 1) {
        this.#shrink(load);
        return;
      }
      if (failure.tooLarge === true || !failure.retryable) {
        const reason = describe(failure, thrown);
        settlement.refused(load, reason, thrown);
        this.#removed(load, reason);
        return;
      }
      // Once for each round of tries: through a long outage the count keeps rising, so that an alert keeps firing.
      if ((attempt + 1) % (this.#options.maxRetries + 1) === 0) {
        this.#failing = true;
        settlement.undecided(load, describe(failure, thrown), thrown);
        this.#parts.outbox.secure();
        this.#parts.onProgress(0);
      } else if (this.#closing) this.#parts.onProgress(0);
      await this.#pause(attempt, failure.retryAfterMs);
    }
  }

  /** The service has answered, whatever it said: it is there. */
  #removed(load: Load, buried?: string): void {
    this.#failing = false;
    this.#parts.outbox.remove(load, buried);
    this.#parts.onProgress(load.entries.length);
  }

  async #try(
    batch: Parameters<Transport['send']>[0],
    load: Load,
  ): Promise<
    | { results: readonly ItemResult[]; failure?: never; thrown?: never }
    | { results?: never; failure: TransportFailure; thrown: unknown }
  > {
    for (const entry of load.entries) entry.sent = true;
    const start = performance.now();
    try {
      const results = await this.#parts.transport.send(batch, this.#abort.signal);
      const given = results.filter((result) => result != null).length;
      if (given === load.entries.length && results.length === given) return { results };
      const thrown = new Error(`the transport gave ${given} results for ${load.entries.length} events`);
      return { failure: { retryable: true }, thrown };
    } catch (thrown) {
      return { failure: readFailure(thrown), thrown };
    } finally {
      this.#tries++;
      this.#parts.onSend?.((performance.now() - start) / 1000);
    }
  }

  /** The service took less than this. Its limit in bytes is remembered, so that not every batch is sent twice. */
  #shrink(load: Load): void {
    let bytes = 0;
    for (const entry of load.entries) bytes += entry.bytes;
    this.#maxEvents = Math.ceil(load.entries.length / 2);
    this.#maxBytes = Math.max(smallestBatchBytes, Math.min(this.#maxBytes, Math.floor(bytes / 2)));
    this.#demanded = true;
  }

  #pause(attempt: number, retryAfterMs: number | undefined): Promise<void> {
    const { clock, random } = this.#parts;
    // A closing emitter has little time, so it asks often, but not without a breath in between.
    const closing = this.#closing && retryAfterMs === undefined;
    const ms = closing ? closingPauseMs : retryDelayMs(this.#options, attempt, retryAfterMs, random());
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#endPause = undefined;
        resolve();
      };
      const cancel = clock.schedule(ms, end, false);
      this.#endPause = end;
    });
  }
}

function describe(failure: TransportFailure, thrown: unknown): string {
  if (failure.status !== undefined && failure.status >= 400) return `status ${failure.status}`;
  // Our own transports' words are fit for a log; what another throws may quote an event.
  if (thrown instanceof TransportError) return thrown.message;
  return failure.retryable ? 'it can not be reached' : 'it refuses the batch';
}
