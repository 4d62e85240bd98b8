import type { TopicPlan, TopicReport } from '@tallystick/server/kafka';
import type { Command } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { addKafkaOptions, type KafkaOptions, requireKafkaConnection } from '../../settings/kafka.ts';
import { addTopicOptions, type TopicOptions, topicNames } from '../../settings/kafka-topics.ts';
import { printable } from '../../terminal/printable.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { wholeNumber } from '../options/option-values.ts';

interface TopicsOptions extends KafkaOptions, TopicOptions {
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
  { title: 'REPLICAS', value: ({ found }: TopicReport) => found?.replicas, align: 'right' as const },
  { title: 'RETENTION', value: ({ found }: TopicReport) => retention(found?.settings['retention.ms']) },
  { title: 'HEALTH', value: health },
];

/** `tally topics`: the Kafka topics that the service needs. It creates missing ones and never changes existing ones. */
export const registerTopics: Register = (program, run) => {
  const topics = program
    .command('topics')
    .summary('create and check the Kafka topics of the service')
    .description('Creates and checks the topics of the service on a Kafka cluster.');

  const create = withOptions(
    topics
      .command('create')
      .summary('create the topics that are missing')
      .description(
        'Creates the topics that are missing: audit.events, audit.gateway and audit.events.dlq. Existing topics stay as they ' +
          'are; the command prints how they differ from what the service needs.',
      ),
  );
  addExamples(create, 'tally topics create --kafka broker-1:9092,broker-2:9092');
  run<TopicsOptions>(create, async (context, options) => {
    const { createTopics } = await import('@tallystick/server/kafka');
    return await report(context, options, createTopics);
  });

  const describe = withOptions(
    topics
      .command('describe')
      .summary('show the topics, and how they differ')
      .description('Shows the existing topics, and how they differ from what the service needs.'),
  );
  addExamples(describe, 'tally topics describe --kafka broker-1:9092 --check');
  run<TopicsOptions>(describe, async (context, options) => {
    const { describeTopics } = await import('@tallystick/server/kafka');
    return await report(context, options, describeTopics);
  });
};

function withOptions(command: Command): Command {
  return addTopicOptions(addKafkaOptions(command))
    .option('--partitions <n>', 'number of partitions of each topic (default: 4)', wholeNumber)
    .option(
      '--replication <n>',
      'number of replicas of each partition (default: 3, or the number of brokers if it is smaller)',
      wholeNumber,
    )
    .option('--retention-days <n>', 'how many days events stay in the topics (default: 90)', wholeNumber)
    .option('--soc', 'also the topics of the reference security platform')
    .option('--check', 'exit with code 1 if a topic is missing or differs');
}

async function report(
  context: Context,
  options: TopicsOptions,
  act: typeof import('@tallystick/server/kafka').createTopics,
): Promise<number | undefined> {
  const { terminal, processContext } = context;
  const reports = await act(
    requireKafkaConnection(options, processContext),
    await plansOf(context, options),
  ).catch((error: unknown) => {
    throw describeBrokerError(error);
  });
  if (terminal.json) for (const each of reports) await terminal.jsonLine(each);
  else await terminal.write(renderTable(terminal, columns, reports));
  for (const { name, differences } of terminal.json ? [] : reports) {
    for (const { setting, wanted, found, risk } of differences) {
      const what = printable(`${name}: ${setting} is ${found || 'not set'}, but should be ${wanted}`);
      if (risk === undefined) terminal.note(what);
      else terminal.warn(`${what}: ${risk}`);
    }
  }
  const isAsNeeded = reports.every(
    ({ state, differences }) => state !== 'missing' && differences.length === 0,
  );
  return options.check === true && !isAsNeeded ? exitCodes.broken : undefined;
}

async function plansOf({ processContext }: Context, options: TopicsOptions): Promise<readonly TopicPlan[]> {
  const { auditTopics, socTopics } = await import('@tallystick/server/kafka');
  const { partitions, replication: replicas, retentionDays, soc } = options;
  const plans = auditTopics({ partitions, replicas, retentionDays, ...topicNames(options, processContext) });
  return soc === true ? [...plans, ...socTopics({ partitions, replicas })] : plans;
}

/** A failure of the cluster, as an error of the command line. */
function describeBrokerError(error: unknown): unknown {
  const { code, message, details } = error as {
    readonly code?: unknown;
    readonly message: string;
    readonly details?: { readonly reason?: unknown };
  };
  if (code === 'BROKER_UNAVAILABLE') return new CliError('BROKER_UNAVAILABLE', message, { cause: error });
  if (code !== 'BROKER_REFUSED') return error;
  const isForbidden = String(details?.reason).endsWith('AUTHORIZATION_FAILED');
  const hint =
    'creating topics needs the permission Create, describing them DescribeConfigs; see docs/kafka.md';
  return new CliError('BROKER_REFUSED', message, { cause: error, ...(isForbidden && { hint }) });
}

function retention(ms: string | undefined): string | undefined {
  if (ms === undefined || ms === '-1') return ms === undefined ? undefined : 'unlimited';
  const days = Number(ms) / dayMs;
  return Number.isInteger(days) ? `${days} days` : `${ms} ms`;
}

function health({ found }: TopicReport): string | undefined {
  if (found === undefined) return undefined;
  if (found.offline > 0) return `${found.offline} offline`;
  return found.underReplicated > 0 ? `${found.underReplicated} behind` : 'in sync';
}
