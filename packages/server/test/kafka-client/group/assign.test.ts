import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TopicPartition } from '../../../src/kafka-client/brokers.ts';
import { assignPartitions, type GroupMember } from '../../../src/kafka-client/group/assign.ts';

const topics = ['audit.events', 'audit.gateway'];
const partitionsOf = (counts: readonly number[]): TopicPartition[] =>
  counts.flatMap((count, index) =>
    Array.from({ length: count }, (_, partition) => ({ topic: topics[index]!, partition })),
  );
const key = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

const groups = fc
  .tuple(fc.tuple(fc.nat(9), fc.nat(9)), fc.integer({ min: 1, max: 5 }))
  .chain(([counts, members]) => {
    const partitions = partitionsOf(counts);
    // What members claim to own may be outdated: claimed by two members, or deleted.
    const owned = fc.subarray([...partitions, { topic: 'audit.events', partition: 99 }]);
    return fc.tuple(fc.constant(partitions), fc.array(owned, { minLength: members, maxLength: members }));
  })
  .map(([partitions, owned]) => ({
    partitions,
    members: owned.map((each, index): GroupMember => ({ memberId: `member-${index}`, topics, owned: each })),
  }));

test('every partition has one owner, and no member has two more than another', () => {
  fc.assert(
    fc.property(groups, ({ members, partitions }) => {
      const shares = [...assignPartitions(members, partitions).values()];
      expect(shares.flat().map(key).sort()).toEqual(partitions.map(key).sort());
      const sizes = shares.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(2);
    }),
  );
});

test('a fair division stays unchanged', () => {
  fc.assert(
    fc.property(groups, ({ members, partitions }) => {
      const before = assignPartitions(members, partitions);
      const settled = members.map((member) => ({ ...member, owned: before.get(member.memberId)! }));
      const after = assignPartitions(settled, partitions);
      for (const { memberId, owned } of settled)
        expect(after.get(memberId)!.map(key).sort()).toEqual(owned.map(key).sort());
    }),
  );
});

test('no member gets a topic that it does not read', () => {
  const members = [
    { memberId: 'old', topics: ['audit.events'], owned: [] },
    { memberId: 'new', topics, owned: [] },
  ];
  const shares = assignPartitions(members, partitionsOf([2, 4]));
  expect(shares.get('old')!.map(key).sort()).toEqual(['audit.events/0', 'audit.events/1']);
  expect(shares.get('new')).toHaveLength(4);
});
