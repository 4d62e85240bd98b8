import { soc } from '@tallystick/event';
import { AuditEmitter } from '../emitter/emitter.ts';
import type { AuditEmitterConfig } from '../emitter/options.ts';
import type { AuditLogger } from '../observe/logger.ts';
import type { KafkaTransportOptions } from '../transport/kafka/options.ts';
import { kafkaTransport } from '../transport/kafka/transport.ts';

/** Options of an {@link AuditProducer} besides its brokers and service. */
export interface AuditProducerOptions<D extends string | undefined = undefined>
  extends Omit<AuditEmitterConfig<typeof soc, D>, 'service' | 'transport' | 'taxonomy'> {
  /** Options of the Kafka transport: `topic`, `tls`, `sasl` and others. */
  readonly kafka?: Omit<KafkaTransportOptions, 'brokers'>;
}

/**
 * An emitter that sends events of the SOC taxonomy to the Kafka topic `audit.events`, with the tenant as the key. `emit()` throws
 * for an event type that the taxonomy does not contain. If no broker can be reached, a warning is logged and the events wait.
 *
 * @example
 * const audit = createAuditProducer('kafka-1:9092,kafka-2:9092', 'orchestrator');
 * audit.emit('alert.classified', { tenantId: 'tenant-abc', actorType: 'agent', actorId: 'reasoning_agent' });
 */
export class AuditProducer<D extends string | undefined = undefined> extends AuditEmitter<typeof soc, D> {
  /**
   * @param bootstrap addresses of brokers: `'kafka-1:9092,kafka-2:9092'`, or a list
   * @param serviceName `source_service` of every event
   */
  constructor(
    bootstrap: string | readonly string[],
    serviceName: string,
    { kafka = {}, ...options }: AuditProducerOptions<D> = {},
  ) {
    super({
      ...(options.logger === undefined && { logger: consoleWarnings, logEvents: false }),
      ...options,
      taxonomy: soc,
      service: serviceName,
      transport: kafkaTransport({ ...kafka, brokers: bootstrap }),
    });
  }
}

/** Creates an {@link AuditProducer}. */
export function createAuditProducer<D extends string | undefined = undefined>(
  bootstrap: string | readonly string[],
  serviceName: string,
  options: AuditProducerOptions<D> = {},
): AuditProducer<D> {
  return new AuditProducer<D>(bootstrap, serviceName, options);
}

/** The logger if the application passes none: an unreachable broker must not go unnoticed. */
const consoleWarnings: AuditLogger = {
  info() {},
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
};
