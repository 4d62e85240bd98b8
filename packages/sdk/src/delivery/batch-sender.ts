/**
 * Sends one batch to the transport until its outcome is known. Nothing is durable here. A crash leaves the outbox as it was, and
 * the next process sends the same events with the same ids again.
 */

import type { ItemResult } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import {
  type Batch,
  describeFailure,
  readFailure,
  type Transport,
  TransportError,
  type TransportFailure,
} from '../transport/transport.ts';
import { Backoff, type RetryOptions } from './backoff.ts';
import { BatchSize } from './batch-size.ts';
import type { Counters } from './counters.ts';
import type { OutboundBatch, Outbox } from './outbox.ts';
import type { OutcomeRecorder } from './outcome-recorder.ts';
import type { Progress } from './progress.ts';

export interface BatchSenderOptions extends RetryOptions {
  readonly service: string;
  /** The runtime may end the process without notice. @defaultValue false */
  readonly ephemeral?: boolean;
  /** Events in one batch. @defaultValue 1000 */
  readonly batchSize: number;
  /** Characters of events in one batch. */
  readonly maxBatchBytes: number;
}

export interface BatchSenderParts {
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly outcomes: OutcomeRecorder;
  readonly counters: Counters;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly random: () => number;
  /** Removes secrets from the events' texts. */
  readonly redact: (events: OutboundBatch['events']) => Promise<void>;
  /** Called with the duration of each send in seconds, successful or not. */
  readonly onSend?: ((seconds: number) => void) | undefined;
}

const maxGapsPerBatch = 1_000;

/** Owned by the emitter's thread. At most one batch is sent at a time. */
export class BatchSender {
  /** How large the next batch may be. */
  readonly size: BatchSize;
  readonly #options: BatchSenderOptions;
  readonly #parts: BatchSenderParts;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #failing = false;
  #attempts = 0;

  constructor(options: BatchSenderOptions, parts: BatchSenderParts) {
    this.#options = options;
    this.#parts = parts;
    this.#backoff = new Backoff(options, parts.clock, parts.random);
    this.size = new BatchSize(options.batchSize, options.maxBatchBytes);
  }

  /** Whether all tries to send the current batch have failed. The events after it wait. */
  get failing(): boolean {
    return this.#failing;
  }

  /** How many sends have ended, successful or not. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Sends the batch and removes it from the outbox when its outcome is known. Failures are retried until then.
   *
   * @returns `settled`; `too large` if the batch stays in the outbox and must be sent in smaller ones; `stopped` after {@link stop}
   */
  async deliver(batch: OutboundBatch): Promise<'settled' | 'too large' | 'stopped'> {
    const { counters, outcomes, outbox, progress, redact } = this.#parts;
    await redact(batch.events);
    const wireBatch = this.#assemble(batch);
    for (let attempt = 0; !this.stopped; attempt++) {
      if (attempt > 0) counters.retries++;
      const { results, failure, thrown } = await this.#send(wireBatch, batch);
      if (results !== undefined) {
        // Durable at the service now. A crash here sends the batch again, and the service recognises the repetition.
        batch.producer.confirmGaps(wireBatch.delivery.gaps.length);
        outcomes.recordResults(batch, results);
        this.size.growAfterSuccess();
        return this.#remove(batch);
      }
      if (this.stopped) break;
      if (failure.tooLarge === true && batch.events.length > 1) {
        this.size.shrinkBelow(batch.events);
        return 'too large';
      }
      if (!failure.retryable) {
        const reason = describeFailure(failure, thrown);
        outcomes.recordRefusal(batch, reason, thrown);
        return this.#remove(batch, reason);
      }
      // Repeated after each round of tries, so that the counter rises during a long outage and an alert on it keeps firing.
      if ((attempt + 1) % (this.#options.maxRetries + 1) === 0) {
        this.#failing = true;
        outcomes.recordFailedTries(batch, describeFailure(failure, thrown), thrown);
        outbox.persist();
        progress.advance(0);
      } else if (this.#backoff.closing) progress.advance(0);
      await this.#backoff.pause(attempt, failure.retryAfterMs);
    }
    return 'stopped';
  }

  /**
   * Sends a batch without events until the service accepts or finally refuses it, or {@link stop} is called. Throws what the
   * transport throws.
   *
   * @param onFailure called with the error of each try that is followed by another one
   */
  async declare(batch: Batch, onFailure: (thrown: unknown) => void): Promise<void> {
    const { signal } = this.#abort;
    this.#backoff.startClosing();
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#parts.transport.send(batch, signal);
        return;
      } catch (thrown) {
        const { retryable, retryAfterMs } = readFailure(thrown);
        if (!retryable || signal.aborted) throw thrown;
        onFailure(thrown);
        await this.#backoff.pause(attempt, retryAfterMs);
        if (signal.aborted) throw thrown;
      }
    }
  }

  /** The emitter closes: a pause between two tries ends now, so that there is at least one more try, and further ones are short. */
  startClosing(): void {
    this.#backoff.startClosing();
    this.#backoff.endPause();
  }

  /** Aborts the current send. */
  stop(): void {
    this.#abort.abort();
    this.#backoff.endPause();
  }

  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  #assemble({ events, producer, final = [] }: OutboundBatch): Batch {
    return {
      events: events.map((event) => event.text),
      delivery: {
        producer_id: producer.producerId,
        service: this.#options.service,
        ...(this.#options.ephemeral === true && { ephemeral: true as const }),
        sequences: events.map((event) => event.sequence),
        gaps: producer.takeGaps(maxGapsPerBatch),
        final,
      },
    };
  }

  /** Calls the transport once. */
  async #send(wireBatch: Batch, batch: OutboundBatch): Promise<SendOutcome> {
    for (const event of batch.events) event.sent = true;
    const start = performance.now();
    try {
      // Decided for each try: once no caller waits any more, a queue that can be reached is better than a chain that can't.
      const isAwaited = batch.events.some(({ waiter }) => waiter?.chained === true);
      const sent = isAwaited ? { ...wireBatch, chained: true as const } : wireBatch;
      const results = await this.#parts.transport.send(sent, this.#abort.signal);
      const given = results.filter(isOutcome).length;
      if (given === batch.events.length && results.length === given) return { results };
      const thrown = new TransportError(
        `the transport returned ${given} valid results for ${batch.events.length} events`,
        { retryable: true },
      );
      return { failure: { retryable: true }, thrown };
    } catch (thrown) {
      return { failure: readFailure(thrown), thrown };
    } finally {
      this.#attempts++;
      this.#parts.onSend?.((performance.now() - start) / 1000);
    }
  }

  /** The service has responded, so it is reachable, whatever the outcome of the batch. */
  #remove(batch: OutboundBatch, refusal?: string): 'settled' {
    this.#failing = false;
    this.#parts.outbox.remove(batch, refusal);
    this.#parts.progress.advance(batch.events.length);
    return 'settled';
  }
}

/**
 * Whether a transport's result says what became of the event. A status that this version does not know, or a status without its
 * receipt or error, says nothing: such an event is sent again, and counts as unconfirmed if the emitter is closed before that.
 */
function isOutcome(result: unknown): result is ItemResult {
  if (typeof result !== 'object' || result === null) return false;
  const { status, receipt, error } = result as { readonly [member: string]: unknown };
  switch (status) {
    case 'accepted':
      return true;
    case 'chained':
    case 'duplicate':
      return typeof receipt === 'object' && receipt !== null;
    case 'rejected':
    case 'conflict':
      return typeof error === 'object' && error !== null;
    default:
      return false;
  }
}

type SendOutcome =
  | { readonly results: readonly ItemResult[]; readonly failure?: never; readonly thrown?: never }
  | { readonly results?: never; readonly failure: TransportFailure; readonly thrown: unknown };
