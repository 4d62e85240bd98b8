import type { DeliveryReport } from '../delivery/report.ts';
import { AuditEmitter } from '../emitter/emitter.ts';
import { type AuditEmitterConfig, emitterDefaults } from '../emitter/options.ts';
import type { AuditEventResult, DeadlineOptions } from '../emitter/result.ts';
import type { AuditLogger } from '../observe/logger.ts';
import type { AuditMetrics } from '../observe/metrics.ts';
import type { Transport } from '../transport/transport.ts';
import { type StoreEvent, toEventInput } from './store-event.ts';

/** Seed 003's four knobs. The rest of {@link AuditEmitterConfig} may be given too. */
export interface BufferedStoreConfig extends Omit<AuditEmitterConfig, 'service' | 'transport' | 'logger'> {
  readonly bufferSize: number;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly maxRetries: number;
}

/** Services that seed 003 knows to need more room than others. */
const bufferSizes: { readonly [service: string]: number } = { gateway: 20_000, 'ai-analysis': 15_000 };

/** 10,000 events, batches of 1,000, each second, three retries. */
export function defaultConfig(): BufferedStoreConfig {
  const { bufferSize, batchSize, flushIntervalMs, maxRetries } = emitterDefaults;
  return { bufferSize, batchSize, flushIntervalMs, maxRetries };
}

/** What suits a service: twice the room for `gateway`, one and a half times for `ai-analysis`, else the default. */
export function recommendedConfig(service: string): BufferedStoreConfig {
  const bufferSize = Object.hasOwn(bufferSizes, service) ? bufferSizes[service]! : emitterDefaults.bufferSize;
  return { ...defaultConfig(), bufferSize };
}

/** Seed 003's face of the emitter: events filled in field by field, stored without blocking. */
export class BufferedAuditStore {
  /** Events that name no tenant get that of the configuration, or are refused. */
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
   * Buffers an event. Never blocks, and never fails for delivery.
   *
   * @throws {AuditValidationError} where a required field is missing
   */
  storeAudit(event: StoreEvent): AuditEventResult {
    return this.#emitter.emit(toEventInput(event));
  }

  /** Seed 003's figures for Prometheus, and ours beside them. */
  get metrics(): AuditMetrics {
    return this.#emitter.metrics;
  }

  flush(options?: DeadlineOptions): Promise<DeliveryReport> {
    return this.#emitter.flush(options);
  }

  /** Delivers what is buffered and stops. Idempotent. */
  close(options?: DeadlineOptions): Promise<DeliveryReport> {
    return this.#emitter.close(options);
  }
}

/** Seed 003's constructor; see {@link BufferedAuditStore}. */
export function newBufferedStore(
  client: Transport,
  config: BufferedStoreConfig,
  service: string,
  logger?: AuditLogger,
): BufferedAuditStore {
  return new BufferedAuditStore(client, config, service, logger);
}
