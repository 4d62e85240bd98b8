import {
  type Connection,
  heartbeatV4,
  joinGroupV7,
  leaveGroupV4,
  offsetCommitV8,
  offsetFetchV8,
  type ResponseError,
  syncGroupV5,
} from '@platformatic/kafka';
import type { Brokers, TopicPartition } from '../brokers.ts';
import { disconnect } from '../connection.ts';
import { errorName, KafkaError, kafkaErrorCode } from '../kafka-error.ts';

export interface GroupOptions {
  readonly groupId: string;
  /** After how long without a heartbeat the coordinator removes a member, ms. */
  readonly sessionTimeoutMs: number;
  /** How long a rebalance waits for its members, ms. */
  readonly rebalanceTimeoutMs: number;
}

/** A member of one generation of the group. Each rebalance begins a new generation. */
export interface GenerationMember {
  readonly memberId: string;
  readonly generation: number;
}

export type JoinResponse =
  /** The coordinator has given the member an id and expects it to join again with that id (KIP-394). */
  | { readonly status: 'id-assigned'; readonly memberId: string }
  | {
      readonly status: 'joined';
      readonly member: GenerationMember;
      /** Members to divide the partitions among, with their subscriptions; empty unless this member is the leader. */
      readonly subscriptions: readonly { readonly memberId: string; readonly metadata: Buffer }[];
    };

/** The partitions of one member, encoded. */
export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

/** Name of our way to divide partitions. All members of a group must support it, whatever their version is. */
const protocolName = 'tallystick-sticky';

/** How long the coordinator may take to answer beyond the rebalance timeout, during which it may delay a join, ms. */
const responseTimeoutMs = 10_000;

/** The requests of one member to the coordinator of its group: the broker that keeps the group's state. */
export class GroupCoordinator {
  readonly #brokers: Brokers;
  readonly #options: GroupOptions;
  #connection: Connection | undefined;

  constructor(brokers: Brokers, options: GroupOptions) {
    this.#brokers = brokers;
    this.#options = options;
  }

  /** Finds and connects to the coordinator, unless there is a connection already. */
  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connection !== undefined) return;
    const connection = await this.#open();
    this.#connection = connection;
    if (signal.aborted) this.disconnect();
  }

  /** Requests in flight fail. The next request needs {@link connect}, which looks for the coordinator again. */
  disconnect(): void {
    if (this.#connection !== undefined) disconnect(this.#connection);
    this.#connection = undefined;
  }

  /** @param memberId undefined for a member that the coordinator has given no id yet */
  async join(memberId: string | undefined, subscription: Buffer): Promise<JoinResponse> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    try {
      const { members, leader, ...joined } = await joinGroupV7.api.async(
        this.#connected(),
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId ?? '',
        null,
        'consumer',
        [{ name: protocolName, metadata: subscription }],
      );
      const member = { memberId: joined.memberId, generation: joined.generationId };
      return { status: 'joined', member, subscriptions: leader === member.memberId ? members : [] };
    } catch (error) {
      if (kafkaErrorCode(error) !== 'MEMBER_ID_REQUIRED') throw error;
      const response = (error as ResponseError).response as joinGroupV7.JoinGroupResponse;
      return { status: 'id-assigned', memberId: response.memberId };
    }
  }

  /**
   * @param plan the partitions of every member if this member leads the group; otherwise empty
   * @returns the partitions of this member, encoded by the leader
   */
  async sync({ memberId, generation }: GenerationMember, plan: readonly MemberAssignment[]): Promise<Buffer> {
    const { assignment } = await syncGroupV5.api.async(
      this.#connected(),
      this.#options.groupId,
      generation,
      memberId,
      null,
      'consumer',
      protocolName,
      [...plan],
    );
    return assignment;
  }

  async heartbeat({ memberId, generation }: GenerationMember): Promise<void> {
    await heartbeatV4.api.async(this.#connected(), this.#options.groupId, generation, memberId, null);
  }

  /** @param ownConnection sends the request over a new connection: a coordinator that delays a join answers nothing else */
  async leave(memberId: string, ownConnection: boolean): Promise<void> {
    const connection = (ownConnection ? undefined : this.#connection) ?? (await this.#open());
    await leaveGroupV4.api
      .async(connection, this.#options.groupId, [{ memberId }])
      .finally(() => disconnect(connection));
  }

  /** @param offsets of each partition, the offset of the next message to read */
  async commitOffsets(
    { memberId, generation }: GenerationMember,
    offsets: readonly (TopicPartition & { readonly next: number })[],
  ): Promise<void> {
    const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, each]) => ({
      name,
      partitions: each.map(({ partition, next }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(next),
        committedLeaderEpoch: -1,
        committedMetadata: null,
      })),
    }));
    await offsetCommitV8.api.async(
      this.#connected(),
      this.#options.groupId,
      generation,
      memberId,
      null,
      topics,
    );
  }

  /** @returns the offset that the group has committed; undefined if it has committed none */
  async committedOffset({ topic, partition }: TopicPartition): Promise<number | undefined> {
    const { groupId } = this.#options;
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    const { groups } = await offsetFetchV8.api.async(
      this.#connected(),
      [{ groupId, memberEpoch: -1, memberId: null, topics }],
      true,
    );
    const found = groups[0]?.topics[0]?.partitions[0];
    if (found === undefined) return undefined;
    if (found.errorCode !== 0) {
      const where = `${topic}/${partition}`;
      throw new KafkaError(errorName(found.errorCode), `can't read the committed offset of ${where}`);
    }
    return found.committedOffset < 0n ? undefined : Number(found.committedOffset);
  }

  #connected(): Connection {
    if (this.#connection === undefined) throw notAMember();
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const broker = await this.#brokers.coordinatorOf(this.#options.groupId);
    return await this.#brokers.open(broker, this.#options.rebalanceTimeoutMs + responseTimeoutMs);
  }
}

export function notAMember(): KafkaError {
  return new KafkaError('NOT_A_MEMBER', 'this process is not a member of the consumer group now');
}
