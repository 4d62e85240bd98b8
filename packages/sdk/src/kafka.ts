export { AuditProducer, type AuditProducerOptions, createAuditProducer } from './compat/audit-producer.ts';
export { buildLlmContext, type LlmCall, type LlmContext } from './compat/llm-context.ts';
export {
  type KafkaCompression,
  type KafkaSasl,
  type KafkaTransportOptions,
  kafkaDefaults,
} from './transport/kafka/options.ts';
export { kafkaTransport } from './transport/kafka/transport.ts';
