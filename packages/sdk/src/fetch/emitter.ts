import type { ItemResult } from '@tallystick/protocol';
import { Counters, type DeliveryReport } from '../delivery/counters.ts';
import { OutcomeRecorder } from '../delivery/outcome-recorder.ts';
import { type EmitterCall, readCall } from '../emitter/call.ts';
import {
  type AuditEventResult,
  type AuditReceipt,
  type DeadlineOptions,
  type RecordOptions,
  receiptOf,
} from '../emitter/result.ts';
import { AuditError } from '../errors.ts';
import { EventEncoder } from '../event/encode.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { AnyTaxonomy, EventBody, EventInput, TypeIn } from '../event/input.ts';
import type { PendingEvent } from '../event/pending-event.ts';
import { leavesGap, refusalOf } from '../event/refusal.ts';
import { WebRedactor } from '../redaction/web-redactor.ts';
import { describeFailure, readFailure } from '../transport/transport.ts';
import { flushEvents, type Unsent } from './flush.ts';
import { type FetchEmitterOptions, type FetchSettings, readFetchOptions } from './options.ts';
import { FetchQueue } from './queue.ts';
import { FetchTransport } from './transport.ts';

/**
 * Emits audit events where there is no background work: nothing is sent and no timer runs except within `flush()`, `close()` and
 * `record()`. Give their promise to `waitUntil` of the platform, or await it before the response.
 *
 * Events have the same form, checks and bytes as those of `AuditEmitter`.
 */
export class FetchEmitter<X extends AnyTaxonomy = undefined, D extends string | undefined = undefined> {
  /** `source_service` of every event. */
  readonly service: string;
  readonly #settings: FetchSettings;
  readonly #encoder: EventEncoder;
  readonly #transport: FetchTransport;
  readonly #redactor: WebRedactor | undefined;
  readonly #queue: FetchQueue;
  readonly #counters = new Counters();
  readonly #outcomes = new OutcomeRecorder(this.#counters, (error) => this.#report(error));
  #closed: Promise<DeliveryReport> | undefined;

  /** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
  constructor(options: FetchEmitterOptions<X, D>) {
    this.#settings = readFetchOptions(options);
    const { service, tenantId, taxonomy, unknownFields, redaction = {}, activeTrace } = this.#settings;
    this.service = service;
    this.#encoder = new EventEncoder({
      service,
      tenantId,
      taxonomy,
      unknownFields,
      now: () => Date.now(),
      activeTrace: activeTrace ?? (() => undefined),
    });
    this.#transport = new FetchTransport(this.#settings);
    this.#redactor = redaction === false ? undefined : new WebRedactor(redaction);
    this.#queue = new FetchQueue(this.#settings.bufferSize, this.#settings.maxBufferBytes);
  }

  /**
   * Queues an event for the next `flush()` and returns immediately. The event is copied.
   *
   * @throws {AuditValidationError} for a programming error, as `AuditEmitter.emit()` does
   */
  emit<K extends TypeIn<X>>(event: EventInput<X, K, D>): AuditEventResult;
  emit<K extends TypeIn<X>>(eventType: K, event: EventBody<X, K, D>): AuditEventResult;
  emit(first: unknown, second?: unknown): AuditEventResult {
    const event = this.#encode(readCall(first, second));
    const identity = { id: event.id, createdAt: new Date(event.createdAt) };
    if (event.violations.length > 0) {
      this.#report(refusalOf(event));
      return { ...identity, state: 'refused' };
    }
    const loss = this.#accept(event);
    if (loss === undefined) return { ...identity, state: 'buffered' };
    this.#report(loss);
    return { ...identity, state: 'dropped' };
  }

  /**
   * Sends an event, and those that were emitted before it, and waits until the service has it durably.
   *
   * @throws {AuditError} its `outcome` is `rejected` (the event is not in the trail and will not be) or `unknown` (it may be there,
   *   and the next `flush()` sends it again)
   */
  record<K extends TypeIn<X>>(event: EventInput<X, K, D>, options?: RecordOptions): Promise<AuditReceipt>;
  record<K extends TypeIn<X>>(
    eventType: K,
    event: EventBody<X, K, D>,
    options?: RecordOptions,
  ): Promise<AuditReceipt>;
  async record(first: unknown, second?: unknown, third?: RecordOptions): Promise<AuditReceipt> {
    const call = readCall(first, second, third);
    const { options } = call;
    const event = this.#encode(call);
    if (event.violations.length > 0) throw refusalOf(event);
    const loss = this.#accept(event);
    if (loss !== undefined) throw loss;
    let outcome: ItemResult | AuditError | undefined;
    event.waiter = {
      chained: options?.chained === true,
      resolve: (result) => {
        outcome = result;
      },
      reject: (error) => {
        outcome = error;
      },
    };
    await this.#flush(options?.timeoutMs ?? this.#settings.deadlineMs);
    if (outcome === undefined) {
      const { id, tenantId, eventType } = event;
      const message = 'the event could not be delivered yet: it is being sent by another flush';
      throw new AuditError('DELIVERY_FAILED', message, { id, tenantId, eventType, outcome: 'unknown' });
    }
    if (outcome instanceof AuditError) throw outcome;
    return receiptOf(event, outcome);
  }

  /**
   * Sends the events that were emitted before the call and declares to the service that these were all. What could not be sent stays
   * for the next call. Never rejects.
   *
   * @returns the outcomes of all events so far
   */
  async flush(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    await this.#flush(options.deadlineMs ?? this.#settings.deadlineMs);
    return this.report();
  }

  /** The same as `flush()`; events that could not be sent, and those that are emitted later, are lost and counted. Never rejects. */
  close(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    this.#closed ??= this.#close(options.deadlineMs ?? this.#settings.deadlineMs);
    return this.#closed;
  }

  /** The outcomes of all events so far. */
  report(): DeliveryReport {
    return this.#counters.report(0);
  }

  /** For `await using`: the same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(deadlineMs: number): Promise<DeliveryReport> {
    await this.#flush(deadlineMs);
    this.#outcomes.recordAbandoned(this.#queue.takeAll().events);
    return this.report();
  }

  #encode({ event: input, eventType }: EmitterCall): EncodedEvent {
    const event = this.#encoder.encodeAny(input, eventType);
    if (event.violations.length > 0) {
      this.#counters.emitted++;
      this.#counters.rejected++;
      if (leavesGap(event)) this.#queue.addLoss({ tenantId: event.tenantId, reason: 'event_invalid' });
    }
    return event;
  }

  #accept(event: EncodedEvent): AuditError | undefined {
    this.#counters.emitted++;
    const { id, tenantId, eventType } = event;
    if (this.#closed !== undefined) {
      this.#counters.drop('shutdown');
      return new AuditError('EMITTER_CLOSED', 'the emitter is closed', { id, tenantId, eventType });
    }
    if (this.#queue.push(event)) return undefined;
    this.#drop(event);
    const message = 'the buffer is full; the event was dropped: call flush()';
    return new AuditError('BUFFER_FULL', message, { id, tenantId, eventType });
  }

  #drop({ tenantId }: PendingEvent): void {
    this.#counters.drop('buffer_full');
    this.#queue.addLoss({ tenantId, reason: 'buffer_full' });
  }

  async #flush(deadlineMs: number): Promise<void> {
    const { events, losses } = this.#queue.takeAll();
    if (events.length === 0 && losses.length === 0) return;
    let unsent: Unsent | undefined;
    try {
      await this.#redact(events);
      const options = { ...this.#settings, deadlineMs };
      unsent = await flushEvents(events, losses, this.#transport, options, this.#outcomes);
    } catch (thrown) {
      // An error of the SDK itself. No event is lost by that.
      unsent = { events, losses, thrown };
    }
    if (unsent !== undefined) this.#keep(unsent);
  }

  async #redact(events: readonly PendingEvent[]): Promise<void> {
    for (const event of events) {
      if (event.redacted || this.#redactor === undefined) continue;
      event.text = await this.#redactor.redact(event.text);
      event.redacted = true;
    }
  }

  #keep({ events, losses, thrown }: Unsent): void {
    this.#outcomes.recordFailedTries({ events }, describeFailure(readFailure(thrown), thrown), thrown);
    for (const event of events) event.waiter = undefined;
    for (const event of this.#queue.putBack(events, losses)) this.#drop(event);
  }

  #report(error: AuditError): void {
    try {
      if (this.#settings.onError !== undefined) this.#settings.onError(error);
      else console.warn(`Audit: ${error.code}: ${error.message}`);
    } catch {
      // The application's handler threw. Delivery must go on.
    }
  }
}

/** Creates an emitter for edge runtimes. */
export function createFetchEmitter<
  const X extends AnyTaxonomy = undefined,
  D extends string | undefined = undefined,
>(options: FetchEmitterOptions<X, D>): FetchEmitter<X, D> {
  return new FetchEmitter<X, D>(options);
}
