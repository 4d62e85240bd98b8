import { randomUUID } from 'node:crypto';
import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { until } from '@tallystick/testing';

/** A message of a topic. */
export interface Stored {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: string;
  readonly headers: Record<string, string>;
}

export interface TopicOptions {
  /** @defaultValue a new, unique name */
  readonly name?: string;
  readonly partitions?: number;
  readonly replicas?: number;
  readonly settings?: Record<string, string>;
}

/** A topic for one test. */
export async function newTopic(bootstrap: string[], options: TopicOptions = {}): Promise<string> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: bootstrap });
  const { name: topic = `sdk.${randomUUID()}`, partitions = 4, replicas = 1, settings = {} } = options;
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [topic], partitions, replicas, configs });
  await admin.close();
  await ready(bootstrap, topic);
  return topic;
}

/**
 * Waits until the topic can be used. A partition gets its leader a moment after the topic is created, and a broker that has just
 * started can't assign producer ids. An emitter would retry, but a test of a single send must not need that.
 */
async function ready(bootstrapBrokers: string[], topic: string): Promise<void> {
  const client = { clientId: 'test', bootstrapBrokers };
  const consumer = new Consumer({ ...client, groupId: topic, retries: false });
  const led = () =>
    consumer.listOffsets({ topics: [topic] }).then(
      () => true,
      () => false,
    );
  await until(led, { what: `leaders of ${topic}` });
  await consumer.close(true);
  const producer = new Producer({ ...client, idempotent: true, retryDelay: 50 });
  await producer.initIdempotentProducer({});
  await producer.close();
}

/**
 * Waits until every partition has all its replicas. Before that, a broker that was frozen may still act as the leader of a
 * partition, and return an outdated end of it.
 */
export async function awaitReplicas(bootstrapBrokers: string[], topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers });
  const whole = async () => {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    return topics.get(topic)!.partitions.every(({ isr, replicas }) => isr.length === replicas.length);
  };
  await until(whole, { timeoutMs: 60_000, intervalMs: 100, what: `the replicas of ${topic}` });
  await admin.close();
}

/** All messages of a topic, partition by partition. */
export async function readTopic(bootstrap: string[], topic: string): Promise<Stored[]> {
  const consumer = new Consumer({ clientId: 'test', groupId: randomUUID(), bootstrapBrokers: bootstrap });
  const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
  const total = Number(ends.reduce((sum, end) => sum + end, 0n));
  const stored: Stored[] = [];
  if (total > 0) {
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', maxWaitTime: 100 });
    for await (const { partition, offset, key, value, headers } of stream) {
      const texts = Array.from(headers, ([name, text]) => [String(name), String(text)]);
      stored.push({
        ...{ partition, offset, key: String(key), value: String(value) },
        headers: Object.fromEntries(texts),
      });
      if (stored.length === total) break;
    }
  }
  await consumer.close(true);
  return stored.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

/** The events that the service would chain, by tenant: without statements and repetitions. */
export function chainable(
  stored: readonly Stored[],
): Map<string, { audit_id: string; context: { n: number } }[]> {
  const seen = new Set<string>();
  const tenants = new Map<string, { audit_id: string; context: { n: number } }[]>();
  for (const { key, value, headers } of stored) {
    if (headers['tallystick-kind'] !== undefined) continue;
    const event = JSON.parse(value);
    if (seen.has(event.audit_id)) continue;
    seen.add(event.audit_id);
    const list = tenants.get(key) ?? [];
    list.push(event);
    tenants.set(key, list);
  }
  return tenants;
}
