import { AuditValidationError } from '@tallystick/event';
import { systemClock } from '../clock.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DeliveryReport } from '../delivery/report.ts';
import { AuditError } from '../errors.ts';
import { EventEncoder } from '../event/encode.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { AnyEventInput, AnyTaxonomy, EventBody, EventInput, TypeIn } from '../event/input.ts';
import { readableCopy } from '../event/readable-copy.ts';
import { openTelemetryTrace } from '../observe/correlation.ts';
import { type AuditLogger, ignoreRejection, RateLimitedLog } from '../observe/logger.ts';
import type { AuditMetrics } from '../observe/metrics.ts';
import { type Builder, startBuilder } from './builder.ts';
import { checkConfig } from './check-config.ts';
import type { SpoolDeadLetters } from './dead-letters.ts';
import { newProducerId, resolveService } from './environment.ts';
import { deliverOnExit } from './exit.ts';
import { type AuditEmitterConfig, readSizes } from './options.ts';
import { openPipeline } from './pipeline.ts';
import { ReceiptWaiter } from './receipt-waiter.ts';
import type { AuditEventResult, AuditReceipt, DeadlineOptions, RecordOptions } from './result.ts';

const warnEveryMs = 10_000;

interface EmitterInternals {
  readonly tap?: (event: EncodedEvent) => void;
}

/**
 * Emits audit events. One for a process is enough: it is safe to use from any number of concurrent requests.
 *
 * `X` is its taxonomy, `D` the tenant of events that name none, where there is one.
 *
 * @example
 * const audit = createAuditEmitter({ service: 'checkout', transport: httpTransport({ url, apiKey }) });
 * audit.emit({ tenantId: 'acme', eventType: 'order.refunded', actorType: 'user', actorId: 'u-17', outcome: 'success' });
 */
export class AuditEmitter<X extends AnyTaxonomy = undefined, D extends string | undefined = undefined> {
  /** UUIDv7 of this emitter, under which the service accounts for its events. */
  readonly producerId: string;
  readonly service: string;
  /** Figures for Prometheus. */
  readonly metrics: AuditMetrics;
  /** What the service refused for good, where there is a spool to keep it. */
  readonly deadLetters: SpoolDeadLetters;
  readonly #encoder: EventEncoder;
  readonly #delivery: Delivery;
  readonly #config: AuditEmitterConfig<X>;
  readonly #eventLog: AuditLogger | undefined;
  readonly #faultLog: RateLimitedLog;
  readonly #clock;
  readonly #tap: ((event: EncodedEvent) => void) | undefined;
  readonly #sizes;
  /** Whether the application's logger, or its handler of faults, is being called. */
  #logging = false;
  #reporting = false;

  /** @param internals for this package's own test kit */
  constructor(config: AuditEmitterConfig<X> = {}, internals: EmitterInternals = {}) {
    checkConfig(config);
    this.#tap = internals.tap;
    this.#config = config;
    this.#sizes = readSizes(config);
    this.#clock = config.clock ?? systemClock;
    this.#eventLog = config.logEvents === false ? undefined : config.logger;
    this.#faultLog = new RateLimitedLog(config.logger, () => this.#clock.now(), warnEveryMs);
    this.service = resolveService(config.service, process.env);
    this.producerId = newProducerId(this.#clock.now());
    const now = () => this.#clock.now();
    const pipeline = openPipeline(config, {
      sizes: this.#sizes,
      service: this.service,
      producerId: this.producerId,
      clock: this.#clock,
      report: (error) => this.#report(error),
    });
    this.metrics = pipeline.metrics;
    this.deadLetters = pipeline.deadLetters;
    this.#delivery = pipeline.delivery;
    this.#encoder = new EventEncoder({
      service: this.service,
      tenantId: config.tenantId,
      taxonomy: config.taxonomy,
      now,
      activeTrace: config.activeTrace ?? openTelemetryTrace(),
    });
    if (config.flushOnExit !== false) deliverOnExit(this);
  }

  /**
   * Hands an event over and returns at once. What it was given is copied: later changes to it change nothing.
   *
   * Nothing is durable when it returns; a process that is killed loses what its memory holds.
   *
   * @throws {AuditValidationError} for a programming error: no tenant, type or actor, an unknown type, a payload that
   *   is not of the taxonomy's shape. Faults of data and of delivery never throw: see `state`, the logger, `onError`.
   */
  emit<K extends TypeIn<X>>(event: EventInput<X, K, D>): AuditEventResult;
  emit<K extends TypeIn<X>>(eventType: K, event: EventBody<X, K, D>): AuditEventResult;
  emit(first: unknown, second?: unknown): AuditEventResult {
    const encoded = this.#encode(first, second);
    const createdAt = new Date(encoded.createdAt);
    if (encoded.violations.length > 0) {
      this.#report(this.#refusal(encoded));
      return { id: encoded.id, createdAt, state: 'refused' };
    }
    this.#tap?.(encoded);
    const lost = this.#delivery.accept(encoded, undefined);
    if (lost === undefined) return { id: encoded.id, createdAt, state: 'buffered' };
    this.#report(this.#loss(encoded, lost));
    return { id: encoded.id, createdAt, state: 'dropped' };
  }

  /**
   * Hands an event over and waits until it is durable at the other end, for callers that must not go on without.
   *
   * @returns the receipt, once the event is chained (or acknowledged by all in-sync replicas of a queue)
   * @throws {AuditError} whose `outcome` says `rejected` (it is not in the trail and will not be) or `unknown`
   * @throws {AuditValidationError} as `emit()` does
   */
  record<K extends TypeIn<X>>(event: EventInput<X, K, D>, options?: RecordOptions): Promise<AuditReceipt>;
  record<K extends TypeIn<X>>(
    eventType: K,
    event: EventBody<X, K, D>,
    options?: RecordOptions,
  ): Promise<AuditReceipt>;
  async record(first: unknown, second?: unknown, third?: RecordOptions): Promise<AuditReceipt> {
    const typed = typeof first === 'string';
    const options = typed ? third : (second as RecordOptions | undefined);
    const encoded = this.#encode(first, typed ? second : undefined);
    if (encoded.violations.length > 0) {
      const refusal = this.#refusal(encoded);
      this.#report(refusal);
      throw refusal;
    }
    this.#tap?.(encoded);
    const timeoutMs = orElse(options?.timeoutMs, this.#sizes.recordTimeoutMs);
    const waiter = new ReceiptWaiter(encoded, this.#clock, timeoutMs);
    const lost = this.#delivery.accept(encoded, waiter);
    if (lost !== undefined) {
      const loss = this.#loss(encoded, lost);
      this.#report(loss);
      waiter.fail(loss);
    }
    return waiter.promise;
  }

  /** Seed 004's name for an `emit()` whose result nobody needs. */
  buffer<K extends TypeIn<X>>(event: EventInput<X, K, D>): void {
    this.emit(event);
  }

  /** Starts building an event of this tenant: a fresh, immutable object at every step. */
  for(tenantId: string): Builder<X> {
    return startBuilder<X>((event) => this.emit(event as never), tenantId);
  }

  /** The same as {@link for}. */
  forClient(clientId: string): Builder<X> {
    return this.for(clientId);
  }

  /** Sends what was emitted so far. Never rejects; the report says what became of every event. */
  flush(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    return this.#delivery.flush(orElse(options.deadlineMs, this.#sizes.deadlineMs));
  }

  /**
   * Delivers what it holds, declares the end to the service and lets go of all resources. Later events are dropped
   * and counted. Never rejects; calling it again gives the same report.
   */
  close(options: DeadlineOptions = {}): Promise<DeliveryReport> {
    return this.#delivery.close(orElse(options.deadlineMs, this.#sizes.deadlineMs));
  }

  /** What became of every event so far. */
  report(): DeliveryReport {
    return this.#delivery.report();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #encode(first: unknown, second: unknown): EncodedEvent {
    const typed = typeof first === 'string';
    const event = (typed ? second : first) as AnyEventInput;
    const encoded = this.#read(event, typed ? first : undefined);
    if (encoded.violations.length > 0) this.#delivery.refuse(encoded);
    else if (this.#eventLog !== undefined) this.#logEvent(event, encoded);
    return encoded;
  }

  #read(event: AnyEventInput, eventType: string | undefined): EncodedEvent {
    try {
      return this.#encoder.encode(event, eventType);
    } catch (thrown) {
      if (thrown instanceof AuditValidationError) throw thrown;
      // A getter of the event itself threw, which is a fault of data like one further down.
      return this.#encoder.encode(readableCopy(event), eventType);
    }
  }

  #logEvent(event: AnyEventInput, { tenantId, eventType }: EncodedEvent): void {
    // A logger that emits would log that event's line, and emit again.
    if (this.#logging) return;
    this.#logging = true;
    try {
      const { targetType, targetId, outcome } = event;
      const status =
        typeof outcome === 'object' ? (outcome?.outcome_status ?? outcome?.outcomeStatus) : outcome;
      const logged: unknown = this.#eventLog!.info(
        {
          auditEvent: true,
          actionType: eventType,
          targetType,
          targetId,
          outcome: status,
          clientId: tenantId,
        },
        `Audit: ${eventType}${targetType === undefined ? '' : ` on ${targetType}/${targetId}`}`,
      );
      ignoreRejection(logged);
    } catch {
      // A logger that throws must not take the business down with it.
    } finally {
      this.#logging = false;
    }
  }

  #refusal({ id, tenantId, eventType, violations }: EncodedEvent): AuditError {
    const cause = new AuditValidationError(violations);
    return new AuditError('EVENT_REFUSED', `the event was refused: ${cause.message}`, {
      id,
      tenantId,
      eventType,
      violations,
      cause,
    });
  }

  #loss({ id, tenantId, eventType }: EncodedEvent, lost: string): AuditError {
    const details = { id, tenantId, eventType };
    if (lost === 'shutdown') return new AuditError('EMITTER_CLOSED', 'the emitter is closed', details);
    return lost === 'spool_full'
      ? new AuditError('SPOOL_FULL', 'the spool is full; the event was dropped', details)
      : new AuditError('BUFFER_FULL', 'the buffer is full; the event was dropped', details);
  }

  #report(error: AuditError): void {
    // A handler that emits would hear of that event's fault, and emit again: thousands deep where memory is full.
    if (this.#reporting) return;
    this.#reporting = true;
    const { code, outcome, id, tenantId, eventType, events, message } = error;
    try {
      this.#faultLog.warn(
        code,
        { auditFault: code, outcome, id, tenantId, eventType, events },
        `Audit: ${message}`,
      );
      ignoreRejection(this.#config.onError?.(error));
      if (this.#config.onError === undefined && this.#config.logger === undefined) warnOfSpool(error);
    } catch {
      // The application's own handler must not break delivery.
    } finally {
      this.#reporting = false;
    }
  }
}

let warnedOfSpool = false;

/** Whoever asked for a spool believes events to be safe on disk, and must hear of it where they are not. */
function warnOfSpool({ code, message }: AuditError): void {
  if (warnedOfSpool || (code !== 'SPOOL_FAILED' && code !== 'SPOOL_LOCKED')) return;
  warnedOfSpool = true;
  process.emitWarning(`Audit events are held in memory alone: ${message}`, { code: `TALLYSTICK_${code}` });
}

/** A time that makes no sense, such as a variable that was not set, must not be taken for none at all. */
function orElse(ms: unknown, usual: number): number {
  return typeof ms === 'number' && ms >= 0 ? ms : usual;
}

/** Makes an emitter; see {@link AuditEmitterConfig}. With a `tenantId` of its own, events need not name one. */
export function createAuditEmitter<
  const X extends AnyTaxonomy = undefined,
  D extends string | undefined = undefined,
>(config: AuditEmitterConfig<X, D> = {}): AuditEmitter<X, D> {
  return new AuditEmitter<X, D>(config);
}
