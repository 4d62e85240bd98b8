import type { AuditService } from '@tallystick/server';
import type { ServeOptions, ServiceMetrics } from '@tallystick/server/http';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addKafkaOptions, type KafkaOptions, kafkaConnection } from '../settings/kafka.ts';

export interface ServeKafkaOptions extends KafkaOptions {
  readonly kafkaGroup?: string;
  readonly kafkaTopic?: string;
  readonly kafkaGatewayTopic?: string;
  /** False where HTTP is to chain by itself. */
  readonly kafkaGateway: boolean;
  readonly acceptRestored?: boolean;
  readonly acceptTruncated?: boolean;
}

export function addServeKafkaOptions(command: Command): Command {
  return addKafkaOptions(command)
    .option(
      '--kafka-group <id>',
      'consumer group; or TALLYSTICK_KAFKA_GROUP (default: tallystick.audit-service)',
    )
    .option('--kafka-topic <name>', 'topic of the events; or TALLYSTICK_KAFKA_TOPIC (default: audit.events)')
    .option(
      '--kafka-gateway-topic <name>',
      "topic of the service's gateway; or TALLYSTICK_KAFKA_GATEWAY_TOPIC (default: audit.gateway)",
    )
    .option('--no-kafka-gateway', 'chain what comes over HTTP at once, not through Kafka')
    .option(
      '--accept-restored',
      'read on though the store stands behind what the group has committed; once, after tally recover',
    )
    .option(
      '--accept-truncated',
      'read a partition whose log has lost its end again from its start; once, where the data is gone for good',
    );
}

/** The Kafka side of a service that runs. */
export interface RunningKafka {
  /** For the HTTP server, so that what comes over HTTP goes through Kafka. */
  readonly gateway: ServeOptions['gateway'];
  /** Drains; what was taken is stored or still in Kafka. To be called when HTTP takes nothing more. */
  close(): Promise<void>;
}

/** @returns nothing where no broker is named */
export async function serveKafka(
  { surroundings, terminal }: Context,
  options: ServeKafkaOptions,
  service: AuditService,
  metrics: ServiceMetrics,
): Promise<RunningKafka | undefined> {
  const connection = kafkaConnection(options, surroundings);
  if (connection === undefined) return undefined;
  const { env } = surroundings;
  const events = options.kafkaTopic || env.TALLYSTICK_KAFKA_TOPIC || 'audit.events';
  const gatewayTopic = options.kafkaGatewayTopic || env.TALLYSTICK_KAFKA_GATEWAY_TOPIC || 'audit.gateway';
  const { gatewayHooks, KafkaGateway, KafkaIngest, KafkaMetrics } = await import('@tallystick/server/kafka');
  const counted = new KafkaMetrics(metrics);
  const warn = tellOnce((message) => terminal.warn(`kafka: ${message}`), surroundings.now);
  const ingest = await KafkaIngest.start(service, {
    connection,
    topics: { events, gateway: gatewayTopic },
    groupId: options.kafkaGroup || env.TALLYSTICK_KAFKA_GROUP || undefined,
    acceptRestored: options.acceptRestored,
    acceptTruncated: options.acceptTruncated,
    on: {
      ...counted.hooks,
      problem: (error) => {
        counted.hooks.problem?.(error);
        warn(error.message);
      },
      lost: (range) => {
        counted.hooks.lost?.(range);
        const { topic, partition, from, next } = range;
        terminal.warn(`kafka: ${topic}/${partition}: offsets ${from} to ${next - 1} are gone unread`);
      },
    },
  });
  counted.watch(ingest);
  const gateway = options.kafkaGateway
    ? new KafkaGateway(service, { connection, topic: gatewayTopic, ...gatewayHooks(metrics) })
    : undefined;
  return {
    gateway,
    close: async () => {
      await gateway?.close();
      await ingest.close();
    },
  };
}

/** How long the same message is not told again, ms: a broker that is away is tried several times a second. */
const quietMs = 10_000;

function tellOnce(tell: (message: string) => void, now: () => number): (message: string) => void {
  const told = new Map<string, number>();
  return (message) => {
    if (now() - (told.get(message) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    // Messages hold offsets: those that nobody repeats must not gather for ever.
    if (told.size > 100) told.clear();
    told.set(message, now());
    tell(message);
  };
}
