/** The Kafka side of the service, for `@tallystick/server/kafka`: ingest, gateway, topics, and their metrics. */
export { KafkaGateway, type KafkaGatewayOptions } from './ingest/gateway/gateway.ts';
export { KafkaIngest } from './ingest/kafka/ingest.ts';
export {
  combineIngestObservers,
  type IngestBatch,
  type IngestRange,
  type IngestStage,
  type KafkaIngestObserver,
  type OnIngestStage,
} from './ingest/kafka/observer.ts';
export type { KafkaIngestOptions } from './ingest/kafka/options.ts';
export type { IngestStop, KafkaIngestStatus, PartitionStatus } from './ingest/kafka/status.ts';
export type { IngestTarget } from './ingest/kafka/target.ts';
export {
  auditTopics,
  socTopics,
  type TopicChoices,
  type TopicDifference,
  type TopicPlan,
} from './ingest/kafka/topics/plan.ts';
export { createTopics, describeTopics, type TopicReport } from './ingest/kafka/topics/topics.ts';
export type { TopicPartition } from './kafka-client/brokers.ts';
export type { KafkaConnection } from './kafka-client/connection.ts';
export { GatewayMetrics } from './metrics/gateway-metrics.ts';
export { KafkaMetrics } from './metrics/kafka-metrics.ts';
