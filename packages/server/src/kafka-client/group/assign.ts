import type { TopicPartition } from '../../ingest/kafka/options.ts';

export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it reads now, and keeps as far as that is fair: every move costs a seek and a wait for a lock. */
  readonly owned: readonly TopicPartition[];
}

/**
 * Spreads partitions over the members that subscribe to their topics: nobody has two more than another who could take
 * one, and as few as possible change hands.
 */
export function assignPartitions(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const shares = [...members]
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member) => ({ member, has: new Map<string, TopicPartition>() }));
  const free = new Map(partitions.map((each) => [keyOf(each), each]));
  for (const { member, has } of shares) {
    for (const each of member.owned) {
      const key = keyOf(each);
      if (member.topics.includes(each.topic) && free.delete(key)) has.set(key, each);
    }
  }
  const fewest = (topic: string) =>
    shares
      .filter(({ member }) => member.topics.includes(topic))
      .reduce<(typeof shares)[number] | undefined>(
        (least, share) => (least === undefined || share.has.size < least.has.size ? share : least),
        undefined,
      );
  for (const [key, each] of free) fewest(each.topic)?.has.set(key, each);
  for (let moved = true; moved; ) {
    moved = false;
    for (const { has } of shares) {
      for (const [key, each] of has) {
        const taker = fewest(each.topic);
        if (taker === undefined || taker.has.size + 2 > has.size) continue;
        has.delete(key);
        taker.has.set(key, each);
        moved = true;
      }
    }
  }
  return new Map(shares.map(({ member, has }) => [member.memberId, [...has.values()]]));
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
