import type { TopicPartition } from '../brokers.ts';

export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** Partitions that the member reads now. It keeps as many of them as a fair division allows. */
  readonly owned: readonly TopicPartition[];
}

/**
 * Divides partitions among the members that subscribe to their topics. No member gets two partitions more than another
 * one that could take them, and as few partitions as possible change their owner.
 */
export function assignPartitions(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const shares = [...members]
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member) => ({ member, assigned: new Map<string, TopicPartition>() }));
  const free = new Map(partitions.map((each) => [keyOf(each), each]));
  for (const { member, assigned } of shares) {
    for (const each of member.owned) {
      const key = keyOf(each);
      if (member.topics.includes(each.topic) && free.delete(key)) assigned.set(key, each);
    }
  }
  const smallestShare = (topic: string) =>
    shares
      .filter(({ member }) => member.topics.includes(topic))
      .reduce<(typeof shares)[number] | undefined>(
        (least, share) => (least === undefined || share.assigned.size < least.assigned.size ? share : least),
        undefined,
      );
  for (const [key, each] of free) smallestShare(each.topic)?.assigned.set(key, each);
  for (let moved = true; moved; ) {
    moved = false;
    for (const { assigned } of shares) {
      for (const [key, each] of assigned) {
        const taker = smallestShare(each.topic);
        if (taker === undefined || taker.assigned.size + 2 > assigned.size) continue;
        assigned.delete(key);
        taker.assigned.set(key, each);
        moved = true;
      }
    }
  }
  return new Map(shares.map(({ member, assigned }) => [member.memberId, [...assigned.values()]]));
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
