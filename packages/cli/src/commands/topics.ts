import type { TopicPlan, TopicReport } from '@tallystick/server/kafka';
import type { Command } from 'commander';
import type { Context, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { addKafkaOptions, type KafkaOptions, requireKafkaConnection } from '../settings/kafka.ts';
import { printable } from '../terminal/printable.ts';
import { renderTable } from '../terminal/table.ts';
import { wholeNumber } from './whole-number.ts';

interface TopicsOptions extends KafkaOptions {
  readonly kafkaTopic?: string;
  readonly kafkaGatewayTopic?: string;
  readonly partitions?: number;
  readonly replication?: number;
  readonly retentionDays?: number;
  readonly soc?: boolean;
  readonly check?: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;

const columns = [
  { title: 'TOPIC', value: ({ name }: TopicReport) => name },
  { title: 'STATE', value: ({ state }: TopicReport) => state },
  { title: 'PARTITIONS', value: ({ found }: TopicReport) => found?.partitions, align: 'right' as const },
  { title: 'COPIES', value: ({ found }: TopicReport) => found?.replicas, align: 'right' as const },
  { title: 'RETENTION', value: ({ found }: TopicReport) => retention(found?.settings['retention.ms']) },
  { title: 'HEALTH', value: health },
];

/** `tally topics`: what the service needs on a cluster. It makes what is missing and changes nothing that is there. */
export const registerTopics: Register = (program, run) => {
  const topics = program.command('topics').description('topics of the service on a Kafka cluster');

  const create = withOptions(
    topics
      .command('create')
      .summary('make the topics that are missing')
      .description(
        'Makes the topics that are missing: audit.events, audit.gateway and audit.events.dlq. What is there stays as it is; ' +
          'how it differs is said.',
      ),
  );
  run<TopicsOptions>(create, async (context, options) => {
    const { createTopics } = await import('@tallystick/server/kafka');
    return await report(context, options, createTopics);
  });

  const describe = withOptions(
    topics
      .command('describe')
      .summary('say what there is, and how it differs')
      .description('Says what topics there are, and how they differ from what the service needs.'),
  );
  run<TopicsOptions>(describe, async (context, options) => {
    const { describeTopics } = await import('@tallystick/server/kafka');
    return await report(context, options, describeTopics);
  });
};

function withOptions(command: Command): Command {
  return addKafkaOptions(command)
    .option('--kafka-topic <name>', 'topic of the events; or TALLYSTICK_KAFKA_TOPIC (default: audit.events)')
    .option(
      '--kafka-gateway-topic <name>',
      "topic of the service's gateway; or TALLYSTICK_KAFKA_GATEWAY_TOPIC (default: audit.gateway)",
    )
    .option('--partitions <n>', 'partitions of each topic (default: 4)', wholeNumber)
    .option(
      '--replication <n>',
      'copies of each partition (default: 3, or as many as there are brokers)',
      wholeNumber,
    )
    .option('--retention-days <n>', 'how long events stay (default: 90)', wholeNumber)
    .option('--soc', 'the topics of the reference platform too')
    .option('--check', 'end with 1 where a topic is missing or differs');
}

async function report(
  context: Context,
  options: TopicsOptions,
  act: typeof import('@tallystick/server/kafka').createTopics,
): Promise<number | undefined> {
  const { terminal, surroundings } = context;
  const reports = await act(
    requireKafkaConnection(options, surroundings),
    await plansOf(context, options),
  ).catch((error: unknown) => {
    throw describeBrokerError(error);
  });
  if (terminal.json) for (const each of reports) await terminal.jsonLine(each);
  else await terminal.write(renderTable(terminal, columns, reports));
  for (const { name, differences } of terminal.json ? [] : reports) {
    for (const { setting, wanted, found, risk } of differences) {
      const what = printable(`${name}: ${setting} is ${found || 'not set'}, planned is ${wanted}`);
      if (risk === undefined) terminal.note(what);
      else terminal.warn(`${what}: ${risk}`);
    }
  }
  const isAsPlanned = reports.every(
    ({ state, differences }) => state !== 'missing' && differences.length === 0,
  );
  return options.check === true && !isAsPlanned ? exitCodes.broken : undefined;
}

async function plansOf(
  { surroundings: { env } }: Context,
  options: TopicsOptions,
): Promise<readonly TopicPlan[]> {
  const { auditTopics, socTopics } = await import('@tallystick/server/kafka');
  const { partitions, replication: replicas, retentionDays, soc } = options;
  const events = options.kafkaTopic ?? (env.TALLYSTICK_KAFKA_TOPIC || undefined);
  const gateway = options.kafkaGatewayTopic ?? (env.TALLYSTICK_KAFKA_GATEWAY_TOPIC || undefined);
  const plans = auditTopics({ partitions, replicas, retentionDays, events, gateway });
  return soc === true ? [...plans, ...socTopics({ partitions, replicas })] : plans;
}

/** A failure of the cluster as the command line tells it. */
function describeBrokerError(error: unknown): unknown {
  const { code, message, details } = error as {
    readonly code?: unknown;
    readonly message: string;
    readonly details?: { readonly reason?: unknown };
  };
  if (code === 'BROKER_UNAVAILABLE') return new CliError('BROKER_UNAVAILABLE', message, { cause: error });
  if (code !== 'BROKER_REFUSED') return error;
  const isForbidden = String(details?.reason).endsWith('AUTHORIZATION_FAILED');
  const hint = 'making topics needs the right Create, and describing them DescribeConfigs: docs/kafka.md';
  return new CliError('BROKER_REFUSED', message, { cause: error, ...(isForbidden && { hint }) });
}

function retention(ms: string | undefined): string | undefined {
  if (ms === undefined || ms === '-1') return ms === undefined ? undefined : 'for ever';
  const days = Number(ms) / dayMs;
  return Number.isInteger(days) ? `${days} days` : `${ms} ms`;
}

function health({ found }: TopicReport): string | undefined {
  if (found === undefined) return undefined;
  if (found.offline > 0) return `${found.offline} offline`;
  return found.underReplicated > 0 ? `${found.underReplicated} behind` : 'in sync';
}
