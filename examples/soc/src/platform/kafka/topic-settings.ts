import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { findingSources } from '../exposure.ts';
import { type Topic, Unavailable } from '../topics.ts';

/** The topics of the platform, without their dead-letter topics. */
export const topicNames: readonly Topic[] = [
  'alerts.raw',
  'alerts.normalized',
  'investigations',
  'actions.pending',
  'actions.settled',
  'telemetry.raw',
  'atlas.detections',
  ...findingSources.map((source) => `ctem.raw.${source}` as const),
  'ctem.normalized',
  'playbooks.draft',
  'patterns',
];

/** The topic of messages that consumers of `topic` could not handle. */
export function deadLetterTopicOf(topic: string): string {
  return `${topic}.dlq`;
}

/** A message of the platform has at most this many bytes. */
export const maxMessageBytes = 1024 * 1024;

/** The key of a message has at most this many bytes. */
export const maxKeyBytes = 1024;

/** How the topics are created. A message is on all replicas before `publish` resolves. */
const topicSettings = {
  partitions: 4,
  /** The factor is this, or the number of brokers if there are fewer. */
  replicas: 3,
  retentionDays: 7,
  deadLetterRetentionDays: 90,
} as const;

const dayMs = 24 * 60 * 60 * 1000;

/** How long Kafka keeps the messages of a topic, in milliseconds. */
export const retentionMs = topicSettings.retentionDays * dayMs;

function configsOf(topic: string, isDeadLetters: boolean, replicas: number) {
  const days = isDeadLetters ? topicSettings.deadLetterRetentionDays : topicSettings.retentionDays;
  const configs: Record<string, string> = {
    'cleanup.policy': 'delete',
    'retention.ms': String(days * dayMs),
    // A dead letter holds its message, and says why it is one. Kafka counts keys, headers and framing, too.
    'max.message.bytes': String((isDeadLetters ? 2 : 1) * maxMessageBytes + 64 * 1024),
    // Ids of events are derived from the time of the message, so the sender must not choose it.
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': String(Math.min(2, replicas)),
  };
  return { topic, configs: Object.entries(configs).map(([name, value]) => ({ name, value })) };
}

/** The metadata of a broker lags behind its controller, on a busy machine by seconds. */
const metadataWait = { timeoutMs: 30_000, intervalMs: 50 };

/**
 * Creates the topics of the platform that do not exist, each with its dead-letter topic. Existing ones stay as they are. It may be called
 * by several processes at once. Resolves when the brokers know all of them.
 *
 * @param prefix stands before the name of each topic
 * @throws {Unavailable} if no broker answers
 */
export async function createTopics(brokers: readonly string[], prefix = ''): Promise<void> {
  const admin = new Admin({
    clientId: 'soc-topics',
    bootstrapBrokers: [...brokers],
    retries: 10,
    retryDelay: 500,
  });
  try {
    const { brokers: known } = await admin
      .metadata({ topics: [], forceUpdate: true })
      .catch((cause: unknown) => {
        const message = `no broker answers on ${brokers.join(', ')}: start Kafka there, or name other brokers`;
        throw new Unavailable(message, { cause });
      });
    const replicas = Math.min(topicSettings.replicas, known.size);
    const existing = new Set(await admin.listTopics());
    const names = topicNames.flatMap((topic) => [topic, deadLetterTopicOf(topic)]);
    for (const name of names) {
      if (existing.has(prefix + name)) continue;
      const { topic, configs } = configsOf(prefix + name, name.endsWith('.dlq'), replicas);
      try {
        await admin.createTopics({
          topics: [topic],
          partitions: topicSettings.partitions,
          replicas,
          configs,
        });
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
      }
    }
    await untilKnown(
      admin,
      names.map((name) => prefix + name),
    );
  } finally {
    await admin.close();
  }
}

async function untilKnown(admin: Admin, topics: readonly string[]): Promise<void> {
  const deadline = performance.now() + metadataWait.timeoutMs;
  for (;;) {
    const known = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !known.has(topic));
    if (missing.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`the brokers do not know the new topics ${missing.join(', ')}`);
    await pause(metadataWait.intervalMs);
  }
}

/** Another process created the topic in the meantime. */
function isAlreadyThere(error: unknown): boolean {
  const { apiId, errors, cause } = error as { apiId?: unknown; errors?: unknown[]; cause?: unknown };
  if (apiId === 'TOPIC_ALREADY_EXISTS') return true;
  return [...(errors ?? []), cause].some((inner) => inner instanceof Error && isAlreadyThere(inner));
}
