import { uuidv7 } from '@tallystick/event';
import type { GapReason } from '@tallystick/protocol';
import { type Clock, systemClock } from '../clock.ts';
import type { DeliveryReport } from '../delivery/counters.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { AuditError } from '../errors.ts';
import { EventEncoder } from '../event/encode.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { AnyTaxonomy, EventBody, EventInput, TypeIn } from '../event/input.ts';
import { refusalOf } from '../event/refusal.ts';
import { openTelemetryTrace } from '../observe/correlation.ts';
import type { AuditMetrics } from '../observe/metrics.ts';
import { type Builder, startBuilder } from './builder.ts';
import { type EmitterCall, readCall } from './call.ts';
import { checkConfig } from './check-config.ts';
import type { SpoolDeadLetters } from './dead-letters.ts';
import { deliverOnExit } from './deliver-on-exit.ts';
import { ErrorReporter } from './error-reporter.ts';
import { EventLog } from './event-log.ts';
import { type AuditEmitterConfig, type EmitterLimits, readLimits } from './options.ts';
import { openPipeline } from './pipeline.ts';
import { ReceiptWaiter } from './receipt-waiter.ts';
import type { AuditEventResult, AuditReceipt, DeadlineOptions, RecordOptions } from './result.ts';

interface EmitterInternals {
  /** Called with each valid event during `emit()`. */
  readonly tap?: (event: EncodedEvent) => void;
}

/**
 * Emits audit events. One emitter per process is enough: it may be used by any number of concurrent requests.
 *
 * `X` is the type of its taxonomy, `D` that of `tenantId` in its configuration: the tenant of events that name none.
 *
 * @example
 * const audit = createAuditEmitter({ service: 'checkout', transport: httpTransport({ url, apiKey }) });
 * audit.emit({ tenantId: 'acme', eventType: 'order.refunded', actorType: 'user', actorId: 'u-17', outcome: 'success' });
 */
export class AuditEmitter<X extends AnyTaxonomy = undefined, D extends string | undefined = undefined> {
  /** UUIDv7 of this emitter. The service uses it to find out whether all events of the emitter have arrived. */
  readonly producerId: string;
  /** `source_service` of every event. */
  readonly service: string;
  /** Metrics for Prometheus. */
  readonly metrics: AuditMetrics;
  /** Events that the service refused permanently. Only a spool keeps them. */
  readonly deadLetters: SpoolDeadLetters;
  readonly #encoder: EventEncoder;
  readonly #delivery: Delivery;
  readonly #eventLog: EventLog | undefined;
  readonly #errors: ErrorReporter;
  readonly #clock: Clock;
  readonly #limits: EmitterLimits;
  readonly #tap: ((event: EncodedEvent) => void) | undefined;

  /**
   * @param internals used by this package's own test kit
   * @throws {AuditError} `CONFIG_INVALID` for an invalid option
   */
  constructor(config: AuditEmitterConfig<X> = {}, internals: EmitterInternals = {}) {
    checkConfig(config);
    const clock = config.clock ?? systemClock;
    const now = () => clock.now();
    const { TALLYSTICK_SERVICE, OTEL_SERVICE_NAME } = process.env;
    this.service = config.service || TALLYSTICK_SERVICE || OTEL_SERVICE_NAME || 'unknown_service:node';
    this.producerId = uuidv7(clock.now());
    this.#clock = clock;
    this.#errors = new ErrorReporter(config, now);
    this.#limits = readLimits(config);
    this.#tap = internals.tap;
    if (config.logger !== undefined && config.logEvents !== false) {
      this.#eventLog = new EventLog(config.logger);
    }
    const pipeline = openPipeline(config, {
      limits: this.#limits,
      service: this.service,
      producerId: this.producerId,
      clock,
      // Refers to this emitter, so that it is not garbage-collected while its delivery waits: deliverOnExit needs it.
      report: (error) => this.#errors.report(error),
    });
    this.metrics = pipeline.metrics;
    this.deadLetters = pipeline.deadLetters;
    this.#delivery = pipeline.delivery;
    this.#encoder = new EventEncoder({
      service: this.service,
      tenantId: config.tenantId,
      taxonomy: config.taxonomy,
      unknownFields: config.unknownFields,
      now,
      activeTrace: config.activeTrace ?? openTelemetryTrace(),
    });
    if (config.flushOnExit !== false) deliverOnExit(this.#delivery, this.#limits.deadlineMs);
  }

  /**
   * Queues an event for delivery and returns immediately. The event is copied: if the caller changes the object afterwards, the
   * event stays as it was.
   *
   * The event is not durable when `emit()` returns. A killed process loses the events in its memory.
   *
   * @throws {AuditValidationError} for a programming error: no tenant, type or actor, an unknown type, or a payload that does
   *   not have the taxonomy's shape. Faults of data and of delivery do not throw: see the result's `state`, the logger and
   *   `onError`.
   */
  emit<K extends TypeIn<X>>(event: EventInput<X, K, D>): AuditEventResult;
  emit<K extends TypeIn<X>>(eventType: K, event: EventBody<X, K, D>): AuditEventResult;
  emit(first: unknown, second?: unknown): AuditEventResult {
    const encoded = this.#encode(readCall(first, second));
    const createdAt = new Date(encoded.createdAt);
    if (encoded.violations.length > 0) {
      this.#errors.report(refusalOf(encoded));
      return { id: encoded.id, createdAt, state: 'refused' };
    }
    this.#tap?.(encoded);
    const lost = this.#delivery.accept(encoded, undefined);
    if (lost === undefined) return { id: encoded.id, createdAt, state: 'buffered' };
    // While the buffer is full, every event is lost. Each error takes 5 µs, twice as long as the event itself.
    if (!this.#errors.ignores(codeOf(lost))) this.#errors.report(lossOf(encoded, lost));
    return { id: encoded.id, createdAt, state: 'dropped' };
  }

  /**
   * Queues an event and waits until the service has it durably, for callers that must not continue before that.
   *
   * @returns a receipt, once the event is chained (or in a queue that all in-sync replicas acknowledged)
   * @throws {AuditError} its `outcome` is `rejected` (the event is not in the trail and will not be) or `unknown`
   * @throws {AuditValidationError} as `emit()` does
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
    const encoded = this.#encode(call);
    if (encoded.violations.length > 0) {
      const refusal = refusalOf(encoded);
      this.#errors.report(refusal);
      throw refusal;
    }
    this.#tap?.(encoded);
    const timeoutMs = validMs(options?.timeoutMs, this.#limits.recordTimeoutMs);
    const waiter = new ReceiptWaiter(encoded, this.#clock, timeoutMs, options);
    const lost = this.#delivery.accept(encoded, waiter);
    if (lost !== undefined) {
      const loss = lossOf(encoded, lost);
      this.#errors.report(loss);
      waiter.reject(loss);
    }
    return waiter.promise;
  }

  /** The same as `emit()`, without a result. */
  buffer<K extends TypeIn<X>>(event: EventInput<X, K, D>): void {
    this.emit(event);
  }

  /** Starts to build an event of this tenant step by step. Each step returns a new, immutable object. */
  for(tenantId: string): Builder<X> {
    return startBuilder<X>((event) => this.emit(event as never), tenantId);
  }

  /** The same as {@link for}. */
  forClient(clientId: string): Builder<X> {
    return this.for(clientId);
  }

  /**
   * Sends the events that were emitted before the call, and declares the losses. Resolves when their outcome is known or, while the service is away, when
   * they are on disk; at the latest at the deadline. Never rejects.
   *
   * @returns the outcomes of all events so far
   */
  flush(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    return this.#delivery.flush(validMs(options.deadlineMs, this.#limits.deadlineMs));
  }

  /**
   * Delivers all events, declares to the service that this emitter has ended, and releases all resources. Events that are emitted
   * later are dropped and counted. Never rejects. Every call returns the result of the first one.
   *
   * @returns the outcomes of all events
   */
  close(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    return this.#delivery.close(validMs(options.deadlineMs, this.#limits.deadlineMs));
  }

  /** The outcomes of all events so far. */
  report(): DeliveryReport {
    return this.#delivery.report();
  }

  /** For `await using`: the same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #encode({ event, eventType }: EmitterCall): EncodedEvent {
    const encoded = this.#encoder.encodeAny(event, eventType);
    if (encoded.violations.length > 0) this.#delivery.refuse(encoded);
    else this.#eventLog?.log(event, encoded);
    return encoded;
  }
}

const lossMessages = {
  EMITTER_CLOSED: 'the emitter is closed',
  SPOOL_FULL: 'the spool is full; the event was dropped',
  BUFFER_FULL: 'the buffer is full; the event was dropped',
} as const;

function codeOf(lost: GapReason): keyof typeof lossMessages {
  if (lost === 'shutdown') return 'EMITTER_CLOSED';
  return lost === 'spool_full' ? 'SPOOL_FULL' : 'BUFFER_FULL';
}

function lossOf({ id, tenantId, eventType }: EncodedEvent, lost: GapReason): AuditError {
  const code = codeOf(lost);
  return new AuditError(code, lossMessages[code], { id, tenantId, eventType });
}

/** The given time, or the default if it is not a valid one. A setting that is missing at run time must not mean 0 ms. */
function validMs(ms: unknown, defaultMs: number): number {
  return typeof ms === 'number' && ms >= 0 ? ms : defaultMs;
}

/** Creates an emitter; see {@link AuditEmitterConfig}. If it has a `tenantId`, events need not name their tenant. */
export function createAuditEmitter<
  const X extends AnyTaxonomy = undefined,
  D extends string | undefined = undefined,
>(config: AuditEmitterConfig<X, D> = {}): AuditEmitter<X, D> {
  return new AuditEmitter<X, D>(config);
}
