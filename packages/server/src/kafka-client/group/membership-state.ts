import type { Topic } from '../brokers.ts';
import type { GenerationMember, JoinResponse } from './coordinator.ts';
import type { AssignedPartition } from './subscription.ts';

/**
 * The states of a group member, over Kafka's classic protocol:
 *
 * ```
 * joining ──► syncing ──► stable ──► rejoining ──► syncing …
 *    ▲           └──────────────────────▲
 *    └── the coordinator does not know the member any more     left: after close(), from every state; final
 * ```
 *
 * In every state but `left` the member keeps reading the partitions that it `owned` last: only an assignment changes them.
 */
export type MembershipState = Joining | Syncing | Stable | Rejoining | Left;

/** Not in the group. It may send JoinGroup. */
export interface Joining {
  readonly name: 'joining';
  /** The id that the coordinator has given, with which the member joins; undefined before that. */
  readonly memberId: string | undefined;
  readonly owned: readonly AssignedPartition[];
}

/** In a generation, without its partitions yet. It may send SyncGroup; the leader divides the partitions before that. */
export interface Syncing {
  readonly name: 'syncing';
  readonly member: GenerationMember;
  /** The topics as they were when the member joined. */
  readonly topics: ReadonlyMap<string, Topic>;
  /** Members to divide the partitions among; empty unless this member leads the group. */
  readonly subscriptions: Extract<JoinResponse, { status: 'joined' }>['subscriptions'];
  readonly owned: readonly AssignedPartition[];
}

/** In a generation, with its partitions. It sends heartbeats, and may commit and read the group's offsets. */
export interface Stable {
  readonly name: 'stable';
  readonly member: GenerationMember;
  readonly topics: ReadonlyMap<string, Topic>;
  readonly owned: readonly AssignedPartition[];
}

/** Was in a generation that has ended, or that it has left to bring about a rebalance. It may send JoinGroup. */
export interface Rejoining {
  readonly name: 'rejoining';
  readonly memberId: string;
  readonly owned: readonly AssignedPartition[];
}

/** Closed. It sends nothing. */
interface Left {
  readonly name: 'left';
}

/** Errors after which the member must join under a new id: the coordinator does not know it any more. */
const unknownMemberCodes: ReadonlySet<string | undefined> = new Set([
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'INCONSISTENT_GROUP_PROTOCOL',
]);

/** Errors that announce a new generation: the member keeps its id and joins again. */
const rebalanceCodes: ReadonlySet<string | undefined> = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
]);

export const isUnknownMember = (code: string | undefined): boolean => unknownMemberCodes.has(code);
export const isRebalance = (code: string | undefined): boolean => rebalanceCodes.has(code);

/**
 * The state after a request has failed. A stable member stays stable after a network error: its session lasts on.
 *
 * @param code Kafka's name of the error; undefined if there is none
 */
export function stateAfterError(state: MembershipState, code: string | undefined): MembershipState {
  if (state.name === 'left') return state;
  const { owned } = state;
  if (isUnknownMember(code)) return { name: 'joining', memberId: undefined, owned };
  if (state.name === 'syncing' || (state.name === 'stable' && isRebalance(code))) {
    return { name: 'rejoining', memberId: state.member.memberId, owned };
  }
  return state;
}

/** The id under which the coordinator knows the member; undefined if it knows none. */
export function memberIdOf(state: MembershipState): string | undefined {
  if (state.name === 'left') return undefined;
  return state.name === 'syncing' || state.name === 'stable' ? state.member.memberId : state.memberId;
}
