/**
 * The way of every event from the emitter to the service: assign a sequence number, add to the outbox, send, count the outcome.
 * Everything here is owned by the emitter's thread.
 */

import type { GapReason } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import type { ReportError } from '../errors.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { PendingEvent, Waiter } from '../event/pending-event.ts';
import { leavesGap } from '../event/refusal.ts';
import { endsWithin } from '../time-limit.ts';
import type { Transport } from '../transport/transport.ts';
import { BatchSender, type BatchSenderOptions } from './batch-sender.ts';
import { closeDelivery, declareEnd, lastTryMs } from './close-delivery.ts';
import type { Counters, DeliveryReport } from './counters.ts';
import type { OutboundBatch, Outbox } from './outbox.ts';
import { OutcomeRecorder } from './outcome-recorder.ts';
import { Progress } from './progress.ts';
import { SendLoop, type SendLoopOptions } from './send-loop.ts';
import type { SequenceTracker } from './sequence-tracker.ts';

export interface DeliveryParts {
  readonly sequences: SequenceTracker;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: ReportError;
  readonly redact: (events: OutboundBatch['events']) => Promise<void>;
  readonly onSend?: ((seconds: number) => void) | undefined;
}

export class Delivery {
  readonly #service: string;
  readonly #ephemeral: boolean;
  readonly #parts: DeliveryParts;
  readonly #outcomes: OutcomeRecorder;
  readonly #progress: Progress;
  readonly #sender: BatchSender;
  readonly #loop: SendLoop;
  /** How many numbers were assigned when the end was last declared or written to disk. */
  #endedAt = 0;
  /** Set by the first call of {@link close}. */
  #closed: Promise<DeliveryReport> | undefined;

  constructor(options: BatchSenderOptions & SendLoopOptions, parts: DeliveryParts) {
    const { outbox, counters, clock } = parts;
    this.#service = options.service;
    this.#ephemeral = options.ephemeral ?? false;
    this.#parts = parts;
    this.#outcomes = new OutcomeRecorder(counters, parts.report);
    this.#progress = new Progress(parts.clock);
    this.#sender = new BatchSender(options, {
      ...parts,
      outcomes: this.#outcomes,
      progress: this.#progress,
    });
    this.#loop = new SendLoop(options, {
      outbox,
      clock,
      sequences: parts.sequences,
      sender: this.#sender,
      outcomes: this.#outcomes,
      progress: this.#progress,
    });
    outbox.onChange = () => this.#progress.advance(0);
    void outbox.opened.then((inherited) => {
      counters.inherited += inherited;
      this.#progress.queued += inherited;
      if (inherited > 0 || outbox.owesDeclarations) this.#loop.sendNow();
    });
  }

  /** Adds an event to the outbox. If it had to be dropped, the result is the reason. */
  accept(event: PendingEvent, waiter: Waiter | undefined): GapReason | undefined {
    const { sequences, outbox, counters } = this.#parts;
    counters.emitted++;
    if (this.#closed !== undefined) {
      counters.drop('shutdown');
      return 'shutdown';
    }
    event.sequence = sequences.next(event.tenantId);
    event.waiter = waiter;
    const full = outbox.push(event);
    if (full !== undefined) {
      sequences.markLost(event.tenantId, event.sequence, full);
      counters.drop(full);
      return full;
    }
    counters.buffered++;
    this.#progress.queued++;
    if (waiter === undefined) this.#loop.eventQueued();
    else this.#loop.sendNow();
    return undefined;
  }

  /** Counts an event that was refused because of its data. It gets a number, which is declared as lost. */
  refuse(event: EncodedEvent): void {
    const { sequences, counters } = this.#parts;
    counters.emitted++;
    counters.rejected++;
    if (this.#closed !== undefined) return;
    if (!leavesGap(event)) return;
    sequences.markLost(event.tenantId, sequences.next(event.tenantId), 'event_invalid');
    // No valid event may follow, which would carry the declaration.
    this.#loop.lossOccurred();
  }

  /**
   * Sends the events that were emitted before the call, and declares the losses, and what an ended process left to declare.
   * Resolves when their outcome is known, when the service is away and they are on disk, or at the deadline.
   */
  async flush(deadlineMs: number): Promise<DeliveryReport> {
    const { clock, outbox } = this.#parts;
    await endsWithin(clock, outbox.opened, deadlineMs);
    const target = this.#progress.queued;
    const undeclared = this.#parts.sequences.undeclaredGaps > 0;
    const hasWork = this.#progress.removed < target || undeclared || outbox.owesDeclarations;
    if (hasWork && this.#closed === undefined) {
      if (undeclared) this.#loop.lossOccurred();
      this.#loop.sendNow();
      const done = () =>
        (this.#progress.removed >= target && !this.#loop.declaresLosses && !outbox.owesDeclarations) ||
        (this.#sender.failing && outbox.spooledEvents === outbox.size);
      await this.#progress.waitUntil(done, deadlineMs);
    }
    return this.report();
  }

  /** See {@link closeDelivery}. Every call returns the result of the first one. */
  close(deadlineMs: number): Promise<DeliveryReport> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<DeliveryReport> {
    const parts = {
      ...this.#parts,
      service: this.#service,
      ephemeral: this.#ephemeral,
      outcomes: this.#outcomes,
    };
    const sending = { loop: this.#loop, sender: this.#sender, progress: this.#progress };
    await closeDelivery({ ...parts, ...sending }, deadlineMs);
    return this.report();
  }

  /** Whether all tries to send the current batch have failed. */
  get failing(): boolean {
    return this.#sender.failing;
  }

  /** Whether there are events to deliver, or losses and ends that the service does not know. */
  get unfinished(): boolean {
    if (this.#closed !== undefined) return false;
    const { sequences, outbox } = this.#parts;
    return this.report().pending > 0 || sequences.undeclaredGaps > 0 || outbox.owesDeclarations;
  }

  /** Whether the producer has assigned numbers since its end was last declared. */
  get owesEnd(): boolean {
    return this.#closed === undefined && this.#parts.sequences.assigned > this.#endedAt;
  }

  /**
   * Declares the last numbers so far, without closing. A later event raises them again. If the service can't be reached, or events
   * are left, the spool keeps the numbers for a later process. Tried once for the same numbers. Never rejects.
   */
  async declareEnd(deadlineMs: number): Promise<void> {
    const { sequences, outbox, clock } = this.#parts;
    this.#endedAt = sequences.assigned;
    const parts = {
      ...this.#parts,
      service: this.#service,
      ephemeral: this.#ephemeral,
      sender: this.#sender,
    };
    const isComplete = outbox.size === 0;
    if (isComplete && (await declareEnd(parts, clock.now() + Math.min(deadlineMs, lastTryMs)))) return;
    // The spool's thread does not keep the process alive, so this does.
    await endsWithin(clock, outbox.recordEnd(), lastTryMs);
  }

  /** Writes what is in memory and the end to the spool, if there is one. The process ends right after this call. */
  recordEndNow(): void {
    if (this.owesEnd || this.unfinished) this.#parts.outbox.recordEndNow();
  }

  report(): DeliveryReport {
    return this.#parts.counters.report(this.#parts.outbox.spooledEvents);
  }
}
