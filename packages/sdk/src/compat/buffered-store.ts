import type { DeliveryReport } from '../delivery/counters.ts';
import { AuditEmitter } from '../emitter/emitter.ts';
import { type AuditEmitterConfig, emitterDefaults } from '../emitter/options.ts';
import type { AuditEventResult, DeadlineOptions } from '../emitter/result.ts';
import type { AuditLogger } from '../observe/logger.ts';
import type { AuditMetrics } from '../observe/metrics.ts';
import type { Transport } from '../transport/transport.ts';
import { type StoreEvent, toEventInput } from './store-event.ts';

/** The configuration of a {@link BufferedAuditStore}: four required numbers, and all other options of an emitter. */
export interface BufferedStoreConfig extends Omit<AuditEmitterConfig, 'service' | 'transport' | 'logger'> {
  /** How many events may wait in memory. */
  readonly bufferSize: number;
  /** Events in one batch, at most 1000. */
  readonly batchSize: number;
  /** How long an event waits until an incomplete batch is sent, in milliseconds. */
  readonly flushIntervalMs: number;
  /** Tries after the first one, before a batch counts as failed. */
  readonly maxRetries: number;
}

/** Buffer sizes of services that emit more events than others. */
const bufferSizes: { readonly [service: string]: number } = { gateway: 20_000, 'ai-analysis': 15_000 };

/** The default configuration: 10,000 events in memory, batches of 1,000, a flush interval of 1 s, three retries. */
export function defaultConfig(): BufferedStoreConfig {
  const { bufferSize, batchSize, flushIntervalMs, maxRetries } = emitterDefaults;
  return { bufferSize, batchSize, flushIntervalMs, maxRetries };
}

/** The configuration for a service: the default, but 20,000 events in memory for `gateway` and 15,000 for `ai-analysis`. */
export function recommendedConfig(service: string): BufferedStoreConfig {
  const bufferSize = Object.hasOwn(bufferSizes, service) ? bufferSizes[service]! : emitterDefaults.bufferSize;
  return { ...defaultConfig(), bufferSize };
}

/** An emitter for events that are filled in field by field; see `newAuditEvent()`. */
export class BufferedAuditStore {
  /** An event without a tenant gets that of the configuration; if there is none, `storeAudit` throws. */
  readonly #emitter: AuditEmitter<undefined, string>;

  constructor(client: Transport, config: BufferedStoreConfig, service: string, logger?: AuditLogger) {
    this.#emitter = new AuditEmitter({
      logEvents: false,
      ...config,
      transport: client,
      service,
      ...(logger !== undefined && { logger }),
    });
  }

  /**
   * Queues an event for delivery and returns immediately. Faults of delivery do not throw.
   *
   * @throws {AuditValidationError} if a required field is missing
   */
  storeAudit(event: StoreEvent): AuditEventResult {
    return this.#emitter.emit(toEventInput(event));
  }

  /** Metrics for Prometheus. */
  get metrics(): AuditMetrics {
    return this.#emitter.metrics;
  }

  /** Sends the events that were stored before the call. Never rejects. */
  flush(options?: DeadlineOptions): Promise<DeliveryReport> {
    return this.#emitter.flush(options);
  }

  /** Delivers all events and releases all resources. Never rejects. Every call returns the result of the first one. */
  close(options?: DeadlineOptions): Promise<DeliveryReport> {
    return this.#emitter.close(options);
  }
}

/** Creates a {@link BufferedAuditStore}. */
export function newBufferedStore(
  client: Transport,
  config: BufferedStoreConfig,
  service: string,
  logger?: AuditLogger,
): BufferedAuditStore {
  return new BufferedAuditStore(client, config, service, logger);
}
