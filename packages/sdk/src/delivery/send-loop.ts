import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../clock.ts';
import type { BatchSender } from './batch-sender.ts';
import type { OutboundBatch, Outbox } from './outbox.ts';
import type { OutcomeRecorder } from './outcome-recorder.ts';
import type { Progress } from './progress.ts';
import type { SequenceTracker } from './sequence-tracker.ts';

export interface SendLoopOptions {
  /** Events in a complete batch. */
  readonly batchSize: number;
  /** How long an event waits until an incomplete batch is sent, in milliseconds. @defaultValue 1000 */
  readonly flushIntervalMs: number;
}

export interface SendLoopParts {
  readonly outbox: Outbox;
  readonly sequences: SequenceTracker;
  readonly sender: BatchSender;
  readonly outcomes: OutcomeRecorder;
  readonly progress: Progress;
  readonly clock: Clock;
}

/**
 * Runs a function outside of the current request. A batch contains events of many requests. If it were sent in the context of
 * the request that emitted first, tracing would attribute the send to that request, and the connection would keep the request's
 * AsyncLocalStorage in memory.
 */
const outsideOfRequests = AsyncLocalStorage.snapshot();

/**
 * Decides when batches are sent, and sends them one after the other in the order of the outbox. Owned by the emitter's thread.
 *
 * It is idle, waits for more events (`#cancelTimer` is set), or sends (`#running` is set).
 */
export class SendLoop {
  readonly #options: SendLoopOptions;
  readonly #parts: SendLoopParts;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whether incomplete batches are sent immediately, until the outbox is empty. */
  #sendAll = false;
  /** Whether losses must be declared even if no event is left to send: not, queued, or in the batch that is being sent. */
  #losses: 'none' | 'queued' | 'sending' = 'none';

  constructor(options: SendLoopOptions, parts: SendLoopParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** An event was added to the outbox: sends when a batch is complete, or after the flush interval. */
  eventQueued(): void {
    if (this.#running !== undefined) return;
    if (this.#parts.outbox.size >= this.#options.batchSize) this.#start();
    else this.#cancelTimer ??= this.#startLater();
  }

  /** An event was lost. Unless a batch of events declares that first, a batch without events does so after the flush interval. */
  lossOccurred(): void {
    this.#losses = 'queued';
    if (this.#running === undefined) this.#cancelTimer ??= this.#startLater();
  }

  /** Whether a batch that declares losses is due or being sent. */
  get declaresLosses(): boolean {
    return this.#losses !== 'none';
  }

  /** A caller waits: sends until the outbox is empty, without waiting for complete batches. */
  sendNow(): void {
    this.#sendAll = true;
    if (this.#running === undefined) this.#start();
  }

  /** Aborts the current send. Resolves when neither this object nor the sender uses the outbox any more. */
  async stop(): Promise<void> {
    this.#parts.sender.stop();
    this.#cancelTimer?.();
    await this.#running;
  }

  #startLater(): () => void {
    return this.#parts.clock.schedule(this.#options.flushIntervalMs, () => this.#start(), false);
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#running !== undefined || this.#parts.sender.stopped) return;
    // Begins in a later turn of the event loop: emit() must not take the time to assemble a batch.
    this.#running = outsideOfRequests(() =>
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run()),
    );
  }

  async #run(): Promise<void> {
    const { outbox, sender, outcomes } = this.#parts;
    try {
      do {
        const next = await outbox.next(sender.size.maxEvents, sender.size.maxBytes);
        const batch = next ?? this.#lossesToDeclare();
        if (batch === undefined) break;
        const outcome = await sender.deliver(batch);
        if (next === undefined) this.#lossesDeclared();
        if (outcome === 'too large') this.#sendAll = true;
      } while (!sender.stopped && this.#isDue());
    } catch (thrown) {
      // An error of the SDK must not become an unhandled rejection of the application. The outbox still has the events.
      outcomes.recordInternalError(thrown);
      this.#sendAll = false;
    } finally {
      this.#running = undefined;
      if (outbox.size === 0) this.#sendAll = false;
      else if (!sender.stopped) this.#cancelTimer ??= this.#startLater();
    }
  }

  /** A batch without events. The sender adds the losses that the service does not know. */
  #lossesToDeclare(): OutboundBatch | undefined {
    const { sequences } = this.#parts;
    const due = this.#losses === 'queued' && sequences.undeclaredGaps > 0;
    this.#losses = due ? 'sending' : 'none';
    if (!due) this.#parts.progress.advance(0);
    return due ? { producer: sequences, events: [] } : undefined;
  }

  /** If the service refused the declaration, it is repeated with the next batch, and not at once. */
  #lossesDeclared(): void {
    if (this.#losses === 'sending') this.#losses = 'none';
    this.#parts.progress.advance(0);
  }

  /** Whether the next batch must be sent now. */
  #isDue(): boolean {
    const { outbox, clock } = this.#parts;
    if (outbox.size === 0) return outbox.owesDeclarations || this.#losses === 'queued';
    if (this.#sendAll || outbox.size >= this.#options.batchSize) return true;
    return clock.now() - (outbox.oldest ?? clock.now()) >= this.#options.flushIntervalMs;
  }
}
