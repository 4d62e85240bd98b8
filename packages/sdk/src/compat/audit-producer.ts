import { soc } from '@tallystick/event';
import { AuditEmitter } from '../../emitter/emitter.ts';
import type { AuditEmitterConfig } from '../../emitter/options.ts';
import type { AuditLogger } from '../../observe/logger.ts';
import type { KafkaTransportOptions } from './options.ts';
import { kafkaTransport } from './transport.ts';

/** What a producer may be told beside where the brokers are and who emits. */
export interface AuditProducerOptions<D extends string | undefined = undefined>
  extends Omit<AuditEmitterConfig<typeof soc, D>, 'service' | 'transport' | 'taxonomy'> {
  /** How to reach Kafka: `topic`, `tls`, `sasl`, …. */
  readonly kafka?: Omit<KafkaTransportOptions, 'brokers'>;
}

/**
 * Seed 000's face of the emitter: events of the SOC taxonomy, on the topic `audit.events`, keyed by tenant. An event type
 * that the taxonomy does not have is a mistake of the program and throws at the call; a broker that is away is a warning
 * in the log, and the events wait.
 *
 * @example
 * const audit = createAuditProducer('kafka-1:9092,kafka-2:9092', 'orchestrator');
 * audit.emit('alert.classified', { tenantId: 'tenant-abc', actorType: 'agent', actorId: 'reasoning_agent' });
 */
export class AuditProducer<D extends string | undefined = undefined> extends AuditEmitter<typeof soc, D> {
  /**
   * @param bootstrap `'kafka-1:9092,kafka-2:9092'`, or a list of such addresses
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

/** Seed 000's constructor; see {@link AuditProducer}. */
export function createAuditProducer<D extends string | undefined = undefined>(
  bootstrap: string | readonly string[],
  serviceName: string,
  options: AuditProducerOptions<D> = {},
): AuditProducer<D> {
  return new AuditProducer<D>(bootstrap, serviceName, options);
}

/** Where no logger is given: a broker that is away must be seen somewhere. */
const consoleWarnings: AuditLogger = {
  info() {},
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
};
