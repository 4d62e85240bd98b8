export { gatewayHooks } from '../../metrics/gateway-metrics.ts';
export { KafkaMetrics } from '../../metrics/kafka-metrics.ts';
export { KafkaGateway, type KafkaGatewayOptions } from '../gateway/gateway.ts';
export { KafkaIngest } from './ingest.ts';
export type {
  IngestBatch,
  IngestRange,
  IngestStop,
  KafkaConnection,
  KafkaIngestHooks,
  KafkaIngestOptions,
  KafkaIngestStatus,
  PartitionStatus,
  TopicPartition,
} from './options.ts';
export {
  auditTopics,
  socTopics,
  type TopicChoices,
  type TopicDifference,
  type TopicPlan,
} from './topics/plan.ts';
export { createTopics, describeTopics, type TopicReport } from './topics/topics.ts';
