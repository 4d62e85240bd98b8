import type { AuditService } from '@tallystick/server';
import type { ServeOptions, ServiceMetrics } from '@tallystick/server/http';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addKafkaOptions, type KafkaOptions, kafkaConnection } from '../../settings/kafka.ts';
import { addTopicOptions, type TopicOptions, topicNames } from '../../settings/kafka-topics.ts';
import { withoutRepetition } from '../../terminal/without-repetition.ts';

export interface ServeKafkaOptions extends KafkaOptions, TopicOptions {
  readonly kafkaGroup?: string;
  /** Whether events that arrive over HTTP go through Kafka. */
  readonly kafkaGateway: boolean;
  readonly acceptRestored?: boolean;
  readonly acceptTruncated?: boolean;
}

export function addServeKafkaOptions(command: Command): Command {
  return addTopicOptions(addKafkaOptions(command))
    .option(
      '--kafka-group <id>',
      'consumer group of the service; or TALLYSTICK_KAFKA_GROUP (default: tallystick.audit-service)',
    )
    .option('--no-kafka-gateway', 'chain events that arrive over HTTP at once, not through Kafka')
    .option(
      '--accept-restored',
      'continue although the store is behind the committed offsets of the group; only once, after tally recover',
    )
    .option(
      '--accept-truncated',
      'read a partition that lost its newest messages again from its start; only once, if the messages are lost permanently',
    );
}

/** The Kafka side of a running service. */
export interface RunningKafka {
  /** Sends events that arrive over HTTP through Kafka; pass it to the HTTP server. */
  readonly gateway: ServeOptions['gateway'];
  /** Stops reading and waits until the events in memory are stored. Call it after the HTTP server has closed. */
  close(): Promise<void>;
}

/** @returns undefined if no broker is named */
export async function serveKafka(
  { processContext, terminal }: Context,
  options: ServeKafkaOptions,
  service: AuditService,
  metrics: ServiceMetrics,
): Promise<RunningKafka | undefined> {
  const connection = kafkaConnection(options, processContext);
  if (connection === undefined) return undefined;
  const { env } = processContext;
  const topics = topicNames(options, processContext);
  const { combineIngestObservers, GatewayMetrics, KafkaGateway, KafkaIngest, KafkaMetrics } = await import(
    '@tallystick/server/kafka'
  );
  const kafkaMetrics = new KafkaMetrics(metrics);
  const warn = withoutRepetition((message) => terminal.warn(`kafka: ${message}`), processContext.now);
  const ingest = await KafkaIngest.start(service, {
    connection,
    topics,
    groupId: options.kafkaGroup || env.TALLYSTICK_KAFKA_GROUP || undefined,
    acceptRestored: options.acceptRestored,
    acceptTruncated: options.acceptTruncated,
    observer: combineIngestObservers(kafkaMetrics, {
      onProblem: (error) => warn(error.message),
      onLost: ({ topic, partition, from, next }) =>
        terminal.warn(
          `kafka: ${topic}/${partition}: offsets ${from} to ${next - 1} were deleted before they were read`,
        ),
    }),
  });
  kafkaMetrics.watch(ingest);
  const gateway = options.kafkaGateway
    ? new KafkaGateway(service, {
        connection,
        topic: topics.gateway,
        observer: new GatewayMetrics(metrics),
      })
    : undefined;
  return {
    gateway,
    close: async () => {
      await gateway?.close();
      await ingest.close();
    },
  };
}
