import type { Brokers } from '../brokers.ts';
import { assignPartitions } from './assign.ts';
import type { MemberAssignment } from './coordinator.ts';
import { decodeSubscription, encodeAssignment } from './subscription.ts';

/**
 * The task of the group's leader: divides the partitions of all topics that members subscribe to. The coordinator passes
 * the result on to the members without reading it.
 */
export async function dividePartitions(
  brokers: Brokers,
  subscriptions: readonly { readonly memberId: string; readonly metadata: Buffer }[],
): Promise<MemberAssignment[]> {
  const members = subscriptions.map(({ memberId, metadata }) => decodeSubscription(memberId, metadata));
  const topics = await brokers.describe([...new Set(members.flatMap((member) => member.topics))]);
  const partitions = [...topics.values()].flatMap(({ name, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
  );
  return [...assignPartitions(members, partitions)].map(([memberId, assigned]) => ({
    memberId,
    assignment: encodeAssignment(assigned),
  }));
}
