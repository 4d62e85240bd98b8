import { describe, expect, test } from 'vitest';
import {
  type MembershipState,
  memberIdOf,
  stateAfterError,
} from '../../../src/kafka-client/group/membership-state.ts';

const topic = { clusterId: 'c', name: 'audit.events', id: 'id', partitions: 2 };
const owned = [{ topic, partition: 1 }];
const member = { memberId: 'm-1', generation: 3 };
const topics = new Map([[topic.name, topic]]);

const joining: MembershipState = { name: 'joining', memberId: 'm-1', owned };
const syncing: MembershipState = { name: 'syncing', member, topics, subscriptions: [], owned };
const stable: MembershipState = { name: 'stable', member, topics, owned };
const rejoining: MembershipState = { name: 'rejoining', memberId: 'm-1', owned };
const left: MembershipState = { name: 'left' };

describe('the state after an error', () => {
  test.each([joining, syncing, stable, rejoining])(
    'in $name, a member that the coordinator does not know joins under a new id, with what it owned',
    (state) => {
      for (const code of ['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'INCONSISTENT_GROUP_PROTOCOL']) {
        expect(stateAfterError(state, code)).toEqual({ name: 'joining', memberId: undefined, owned });
      }
    },
  );

  test.each([syncing, stable])('in $name, a new generation is joined with the same id', (state) => {
    for (const code of ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']) {
      expect(stateAfterError(state, code)).toEqual(rejoining);
    }
  });

  test('a network error leaves a stable member stable, and makes a syncing one join again', () => {
    expect(stateAfterError(stable, undefined)).toBe(stable);
    expect(stateAfterError(syncing, undefined)).toEqual(rejoining);
    expect(stateAfterError(joining, undefined)).toBe(joining);
    expect(stateAfterError(rejoining, 'COORDINATOR_LOAD_IN_PROGRESS')).toBe(rejoining);
  });

  test('a member that has left stays so', () => {
    expect(stateAfterError(left, 'UNKNOWN_MEMBER_ID')).toBe(left);
  });
});

test('the id is known in every state but before the first join and after leaving', () => {
  expect([joining, syncing, stable, rejoining].map(memberIdOf)).toEqual(['m-1', 'm-1', 'm-1', 'm-1']);
  expect(memberIdOf({ name: 'joining', memberId: undefined, owned: [] })).toBeUndefined();
  expect(memberIdOf(left)).toBeUndefined();
});
