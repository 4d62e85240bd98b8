import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka';
import type { Topic, TopicPartition } from '../brokers.ts';
import type { GroupMember } from './assign.ts';

/** The bytes that members send each other through the group's coordinator, which does not read them. */

export interface AssignedPartition {
  readonly topic: Topic;
  readonly partition: number;
}

/** What a member tells the leader of the group: its topics, and the partitions that it reads now. */
export function encodeSubscription(
  topics: ReadonlyMap<string, Topic>,
  owned: readonly AssignedPartition[],
): Buffer {
  return encodeConsumerProtocolSubscription({
    version: 1,
    topics: [...topics.keys()],
    // The coordinator starts a rebalance if a member's subscription changes. With the fingerprint it changes when a topic
    // has got more partitions, whichever member notices that first.
    userData: fingerprintOf(topics),
    ownedPartitions: byTopic(owned.map(({ topic, partition }) => ({ topic: topic.name, partition }))),
  });
}

export function decodeSubscription(memberId: string, metadata: Buffer): GroupMember {
  const { topics, ownedPartitions } = decodeConsumerProtocolSubscription(metadata);
  const owned = ownedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  );
  return { memberId, topics, owned };
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encodeConsumerProtocolAssignment({ version: 1, assignedPartitions: byTopic(partitions) });
}

/**
 * @param topics the topics that this member knows. Partitions of other topics are left out: the leader of the group has
 *   newer metadata, and this member looks at its topics again later
 */
export function decodeAssignment(
  assignment: Buffer,
  topics: ReadonlyMap<string, Topic>,
): AssignedPartition[] {
  const { assignedPartitions } = decodeConsumerProtocolAssignment(assignment);
  return assignedPartitions.flatMap(({ topic: name, partitions }) => {
    const topic = topics.get(name);
    return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
  });
}

/** Differs if a topic was created, deleted, or got more partitions. */
export function fingerprintOf(topics: ReadonlyMap<string, Topic>): Buffer {
  const lines = [...topics.values()].map(({ name, id, partitions }) => `${name} ${id} ${partitions}`);
  return Buffer.from(lines.sort().join('\n'));
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, each]) => ({
    topic,
    partitions: each.map(({ partition }) => partition),
  }));
}
