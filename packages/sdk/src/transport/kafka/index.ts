export { buildLlmContext, type LlmCall, type LlmContext } from '../../store/llm-context.ts';
export { AuditProducer, type AuditProducerOptions, createAuditProducer } from './audit-producer.ts';
export {
  type KafkaCompression,
  type KafkaSasl,
  type KafkaTransportOptions,
  kafkaDefaults,
} from './options.ts';
export { kafkaTransport } from './transport.ts';
