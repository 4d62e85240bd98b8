import type { AuditService } from '@tallystick/server';
import type { ServeOptions, ServiceMetrics } from '@tallystick/server/http';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addKafkaOptions, type KafkaOptions, kafkaConnection } from '../settings/kafka.ts';

export interface ServeKafkaOptions extends KafkaOptions {
  readonly kafkaGroup?: string;
  readonly kafkaTopic?: string;
  readonly kafkaGatewayTopic?: string;
  /** Whether events that arrive over HTTP go through Kafka. */
  readonly kafkaGateway: boolean;
  readonly acceptRestored?: boolean;
  readonly acceptTruncated?: boolean;
}

export function addServeKafkaOptions(command: Command): Command {
  return addKafkaOptions(command)
    .option(
      '--kafka-group <id>',
      'consumer group of the service; or TALLYSTICK_KAFKA_GROUP (default: tallystick.audit-service)',
    )
    .option(
      '--kafka-topic <name>',
      'topic that applications write events to; or TALLYSTICK_KAFKA_TOPIC (default: audit.events)',
    )
    .option(
      '--kafka-gateway-topic <name>',
      'topic for events that arrive over HTTP; or TALLYSTICK_KAFKA_GATEWAY_TOPIC (default: audit.gateway)',
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
  const events = options.kafkaTopic || env.TALLYSTICK_KAFKA_TOPIC || 'audit.events';
  const gatewayTopic = options.kafkaGatewayTopic || env.TALLYSTICK_KAFKA_GATEWAY_TOPIC || 'audit.gateway';
  const { combineIngestObservers, GatewayMetrics, KafkaGateway, KafkaIngest, KafkaMetrics } = await import(
    '@tallystick/server/kafka'
  );
  const kafkaMetrics = new KafkaMetrics(metrics);
  const warn = withoutRepetition((message) => terminal.warn(`kafka: ${message}`), processContext.now);
  const ingest = await KafkaIngest.start(service, {
    connection,
    topics: { events, gateway: gatewayTopic },
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
        topic: gatewayTopic,
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

/** Pause before the same message is printed again, ms: an unreachable broker is tried several times per second. */
const quietMs = 10_000;

function withoutRepetition(print: (message: string) => void, now: () => number): (message: string) => void {
  const printedAt = new Map<string, number>();
  return (message) => {
    if (now() - (printedAt.get(message) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    // Messages contain offsets, so most never come again: they must not fill the memory.
    if (printedAt.size > 100) printedAt.clear();
    printedAt.set(message, now());
    print(message);
  };
}
