import {
  type Connection,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  heartbeatV4,
  joinGroupV7,
  leaveGroupV4,
  offsetCommitV8,
  offsetFetchV8,
  type ResponseError,
  syncGroupV5,
} from '@platformatic/kafka';
import type { TopicPartition } from '../../ingest/kafka/options.ts';
import { kafkaCode, nameOfError, SourceError } from '../../ingest/kafka/source-error.ts';
import { Backoff } from '../backoff.ts';
import { type Brokers, discard, type Topic } from '../brokers.ts';
import { within } from '../within.ts';
import { assignPartitions } from './assign.ts';

export interface MembershipOptions {
  readonly groupId: string;
  /** Those that don't exist yet are joined when they do. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly topicIntervalMs: number;
  /** This member's partitions, whole, whenever the group has agreed on them. */
  readonly onAssigned: (partitions: readonly AssignedPartition[]) => void;
  readonly onProblem: (error: Error) => void;
}

export interface AssignedPartition {
  readonly topic: Topic;
  readonly partition: number;
}

/** Members of other versions must have it in common. */
const protocolName = 'tallystick-sticky';

/** What the coordinator answers to a member that it does not know as such any more: join anew, as nobody. */
const forgotten = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'INCONSISTENT_GROUP_PROTOCOL']);
/** What it answers when members must agree anew. */
const outdated = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']);

/**
 * Membership in the consumer group, over the classic protocol: one loop that finds the coordinator, joins, sends
 * heartbeats, and begins again wherever it falls out, for ever.
 *
 * The group only divides the work. Two members that hold one partition for a while do no harm: the store's positions
 * decide, so nobody has to stop reading while the group agrees.
 */
export class Membership {
  readonly #brokers: Brokers;
  readonly #options: MembershipOptions;
  readonly #closer = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | undefined;
  #memberId = '';
  #generation = -1;
  #joined = false;
  #assigned: readonly AssignedPartition[] = [];
  /** The topics as they were when this member joined. */
  #topics: ReadonlyMap<string, Topic> = new Map();
  #topicsReadAt = 0;
  #trouble: string | undefined;
  /** Of the last answer that confirmed the membership, monotonic ms. */
  #confirmedAt = performance.now();

  constructor(brokers: Brokers, options: MembershipOptions) {
    this.#brokers = brokers;
    this.#options = options;
    this.#running = this.#run();
  }

  get joined(): boolean {
    return this.#joined;
  }

  /** Kafka's name for why this member is none now; undefined where it is one, or nobody knows. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** How long the coordinator has not confirmed this member, ms. */
  get silentMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  /**
   * Offsets that the group has committed to Kafka.
   *
   * @returns `undefined` for a partition that has none
   */
  async committed(topic: string, partition: number): Promise<number | undefined> {
    const { groupId } = this.#options;
    const request = [
      { groupId, memberEpoch: -1, memberId: null, topics: [{ name: topic, partitionIndexes: [partition] }] },
    ];
    const { groups } = await offsetFetchV8.api.async(this.#member(), request, true);
    const answer = groups[0]?.topics[0]?.partitions[0];
    if (answer === undefined) return undefined;
    if (answer.errorCode !== 0) throw new SourceError(nameOfError(answer.errorCode), 'no committed offset');
    return answer.committedOffset < 0n ? undefined : Number(answer.committedOffset);
  }

  async commit(offsets: readonly (TopicPartition & { readonly next: number })[]): Promise<void> {
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
    const topics = [...byTopic].map(([name, each]) => ({
      name,
      partitions: each.map(({ partition, next }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(next),
        committedLeaderEpoch: -1,
        committedMetadata: null,
      })),
    }));
    const { groupId } = this.#options;
    await offsetCommitV8.api.async(this.#member(), groupId, this.#generation, this.#memberId, null, topics);
  }

  /** Looks with the next heartbeat whether the topics are still what they were. */
  lookAtTopics(): void {
    this.#topicsReadAt = Number.NEGATIVE_INFINITY;
  }

  /** Leaves the group, so that the others need not wait for the session's end. Never fails: it would end by itself. */
  async close(): Promise<void> {
    if (this.#memberId !== '') await within(leaveMs, this.#leave()).catch(() => undefined);
    this.#closer.abort();
    this.#drop();
    // What it waits for may be a broker that does not answer; nothing comes of it any more.
    await within(leaveMs, this.#running).catch(() => undefined);
  }

  async #leave(): Promise<void> {
    const [memberId, { groupId }] = [this.#memberId, this.#options];
    // A connection on which the coordinator keeps a join waiting answers nothing else.
    const connection = this.#joined ? this.#connection : undefined;
    const used = connection ?? (await this.#connect());
    await leaveGroupV4.api.async(used, groupId, [{ memberId }]).finally(() => discard(used));
  }

  #member(): Connection {
    if (!this.#joined || this.#connection === undefined) {
      throw new SourceError('NOT_A_MEMBER', 'not a member of the group now');
    }
    return this.#connection;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closer;
    const backoff = new Backoff(100, 3_000);
    while (!signal.aborted) {
      try {
        this.#connection ??= await this.#connect();
        if (!this.#joined) await this.#join();
        backoff.reset();
        this.#trouble = undefined;
        await this.#beat();
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error as Error, backoff);
      }
    }
  }

  async #recover(error: Error, backoff: Backoff): Promise<void> {
    const code = kafkaCode(error);
    this.#trouble = code;
    if (code !== undefined && outdated.has(code)) {
      this.#joined = false;
      return;
    }
    if (code !== undefined && forgotten.has(code)) {
      this.#joined = false;
      this.#memberId = '';
      this.#generation = -1;
      if (backoff.tries === 0 && code === 'UNKNOWN_MEMBER_ID') return;
    } else {
      // Another broker may keep the group by now; the membership itself may still stand.
      this.#drop();
    }
    // A coordinator that moves is nothing to tell of, unless it stays away.
    if (backoff.tries > 0) this.#options.onProblem(error);
    await backoff.pause(this.#closer.signal);
  }

  async #connect(): Promise<Connection> {
    const { groupId, rebalanceTimeoutMs } = this.#options;
    const coordinator = await this.#brokers.coordinatorOf(groupId);
    const connection = await this.#brokers.open(coordinator, rebalanceTimeoutMs + patienceMs);
    if (this.#closer.signal.aborted) discard(connection);
    return connection;
  }

  async #join(): Promise<void> {
    const { topics: names } = this.#options;
    const topics = await this.#describe(names);
    if (topics.size === 0)
      throw new SourceError('UNKNOWN_TOPIC_OR_PARTITION', `no topic ${names.join(', ')}`);
    const metadata = encodeConsumerProtocolSubscription({
      version: 1,
      topics: [...topics.keys()],
      // So that the coordinator sees a change when a topic has more partitions than before, whoever notices first.
      userData: shapeOf(topics),
      ownedPartitions: byTopic(
        this.#assigned.map(({ topic, partition }) => ({ topic: topic.name, partition })),
      ),
    });
    const agreed = await this.#joinAs(metadata);
    this.#memberId = agreed.memberId;
    this.#generation = agreed.generationId;
    const plan = agreed.leader === agreed.memberId ? await this.#lead(agreed) : [];
    const { groupId } = this.#options;
    const { assignment } = await syncGroupV5.api.async(
      this.#connection!,
      groupId,
      agreed.generationId,
      agreed.memberId,
      null,
      'consumer',
      protocolName,
      plan,
    );
    this.#topics = topics;
    this.#joined = true;
    this.#confirmedAt = performance.now();
    const { assignedPartitions } = decodeConsumerProtocolAssignment(assignment);
    this.#assigned = assignedPartitions.flatMap(({ topic: name, partitions }) => {
      const topic = topics.get(name);
      // Assigned by a leader that knows more: this member looks again when its turn to look comes.
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
    });
    this.#options.onAssigned(this.#assigned);
  }

  async #joinAs(metadata: Buffer): Promise<joinGroupV7.JoinGroupResponse> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const join = () =>
      joinGroupV7.api.async(
        this.#connection!,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        this.#memberId,
        null,
        'consumer',
        [{ name: protocolName, metadata }],
      );
    try {
      return await join();
    } catch (error) {
      if (kafkaCode(error) !== 'MEMBER_ID_REQUIRED') throw error;
      // How every first join is answered (KIP-394): with the id to join by.
      this.#memberId = ((error as ResponseError).response as joinGroupV7.JoinGroupResponse).memberId;
      return await join();
    }
  }

  /** The leader divides the partitions; the coordinator only passes on what it says. */
  async #lead({
    members,
  }: joinGroupV7.JoinGroupResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    const group = members.map(({ memberId, metadata }) => {
      const { topics, ownedPartitions } = decodeConsumerProtocolSubscription(metadata);
      const owned = ownedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      return { memberId, topics, owned };
    });
    const known = await this.#brokers.describe([...new Set(group.flatMap(({ topics }) => topics))]);
    const all = [...known.values()].flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
    return [...assignPartitions(group, all)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({ version: 1, assignedPartitions: byTopic(partitions) }),
    }));
  }

  /** Sends heartbeats until the group has to agree anew. */
  async #beat(): Promise<void> {
    const { groupId, heartbeatIntervalMs, sessionTimeoutMs, topicIntervalMs } = this.#options;
    const interval = new Backoff(heartbeatIntervalMs, heartbeatIntervalMs);
    while (this.#joined && !this.#closer.signal.aborted) {
      await interval.pause(this.#closer.signal);
      if (this.#closer.signal.aborted) return;
      const beat = heartbeatV4.api.async(this.#member(), groupId, this.#generation, this.#memberId, null);
      await within(sessionTimeoutMs, beat);
      this.#confirmedAt = performance.now();
      if (performance.now() - this.#topicsReadAt < topicIntervalMs) continue;
      const now = await this.#describe(this.#options.topics);
      if (!shapeOf(now).equals(shapeOf(this.#topics))) this.#joined = false;
    }
  }

  async #describe(names: readonly string[]): Promise<ReadonlyMap<string, Topic>> {
    const topics = await this.#brokers.describe(names);
    this.#topicsReadAt = performance.now();
    return topics;
  }

  #drop(): void {
    if (this.#connection !== undefined) discard(this.#connection);
    this.#connection = undefined;
  }
}

/** Beyond the rebalance time-out, for which the coordinator may keep a member waiting. */
const patienceMs = 10_000;
const leaveMs = 2_000;

function shapeOf(topics: ReadonlyMap<string, Topic>): Buffer {
  const lines = [...topics.values()].map(({ name, id, partitions }) => `${name} ${id} ${partitions}`);
  return Buffer.from(lines.sort().join('\n'));
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, each]) => ({
    topic,
    partitions: each.map(({ partition }) => partition),
  }));
}
