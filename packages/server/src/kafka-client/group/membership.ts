import { backoffMs } from '../../timing/backoff.ts';
import { pause } from '../../timing/pause.ts';
import { withTimeout } from '../../timing/timeout.ts';
import type { Brokers, Topic, TopicPartition } from '../brokers.ts';
import { KafkaError, kafkaErrorCode } from '../kafka-error.ts';
import { GroupCoordinator, type GroupOptions, notAMember } from './coordinator.ts';
import { dividePartitions } from './leader.ts';
import {
  isRebalance,
  isUnknownMember,
  type Joining,
  type MembershipState,
  memberIdOf,
  type Rejoining,
  type Stable,
  type Syncing,
  stateAfterError,
} from './membership-state.ts';
import {
  type AssignedPartition,
  decodeAssignment,
  encodeSubscription,
  fingerprintOf,
} from './subscription.ts';

export interface MembershipOptions extends GroupOptions {
  /** Topics to read. A topic that does not exist yet is read once it does. */
  readonly topics: readonly string[];
  readonly heartbeatIntervalMs: number;
  /** How often to look whether the topics have changed, ms. */
  readonly topicIntervalMs: number;
  /** Called with all partitions of this member, after each rebalance. */
  readonly onAssigned: (partitions: readonly AssignedPartition[]) => void;
  /** Called with errors that the member retries after, except for the first of a series. */
  readonly onProblem: (error: Error) => void;
}

const retryBounds = { baseMs: 100, maxMs: 3_000 };
/** How long `close()` waits for each of its two steps, ms. */
const closeTimeoutMs = 2_000;

/**
 * Membership in a consumer group, over the classic protocol: one loop that joins, sends heartbeats, and joins again
 * whenever the member falls out of the group, until it is closed.
 *
 * The group only divides the work. If two members read one partition for a while, this does no harm as long as the reader
 * stores its positions itself and fences with them. So no member stops reading during a rebalance.
 */
export class Membership {
  readonly #brokers: Brokers;
  readonly #options: MembershipOptions;
  readonly #coordinator: GroupCoordinator;
  readonly #closer = new AbortController();
  readonly #running: Promise<void>;
  /** Changed only by {@link #enter}, which {@link #run} calls; `close()` sets `left`, which is final. */
  #state: MembershipState = { name: 'joining', memberId: undefined, owned: [] };
  /** Failures since the member was stable last. */
  #failures = 0;
  #topicsReadAt = 0;
  #problem: string | undefined;
  /** When the coordinator last confirmed the membership, monotonic ms. */
  #confirmedAt = performance.now();

  constructor(brokers: Brokers, options: MembershipOptions) {
    this.#brokers = brokers;
    this.#options = options;
    this.#coordinator = new GroupCoordinator(brokers, options);
    this.#running = this.#run();
  }

  get state(): MembershipState['name'] {
    return this.#state.name;
  }

  /** Kafka's name of the last error; undefined while the member is stable, and for an error that has no such name. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Time since the coordinator last confirmed the membership, ms. */
  get unconfirmedMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  /**
   * The offset that the group has committed to Kafka for a partition.
   *
   * @returns undefined if it has committed none
   * @throws {KafkaError} `NOT_A_MEMBER` unless the member is stable
   */
  async committedOffset(partition: TopicPartition): Promise<number | undefined> {
    if (this.#state.name !== 'stable') throw notAMember();
    return await this.#coordinator.committedOffset(partition);
  }

  /** @throws {KafkaError} `NOT_A_MEMBER` unless the member is stable */
  async commitOffsets(offsets: readonly (TopicPartition & { readonly next: number })[]): Promise<void> {
    if (this.#state.name !== 'stable') throw notAMember();
    await this.#coordinator.commitOffsets(this.#state.member, offsets);
  }

  /** Checks after the next heartbeat whether the topics have changed. */
  checkTopicsSoon(): void {
    this.#topicsReadAt = Number.NEGATIVE_INFINITY;
  }

  /** Leaves the group, so that the other members need not wait for the session to end. Never rejects. */
  async close(): Promise<void> {
    const [memberId, isStable] = [memberIdOf(this.#state), this.#state.name === 'stable'];
    this.#state = { name: 'left' };
    // A crash here leaves the member in the group until its session ends.
    if (memberId !== undefined) await this.#beforeDeadline(this.#coordinator.leave(memberId, !isStable));
    this.#closer.abort();
    this.#coordinator.disconnect();
    // The loop may wait for a broker that does not answer.
    await this.#beforeDeadline(this.#running);
  }

  async #beforeDeadline(work: Promise<void>): Promise<void> {
    await withTimeout(work, closeTimeoutMs, () => timedOut(closeTimeoutMs)).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (this.#state.name !== 'left') {
      try {
        await this.#coordinator.connect(this.#closer.signal);
        await this.#step(this.#state);
      } catch (error) {
        if (this.state === 'left') return;
        await this.#recover(error as Error);
      }
    }
  }

  /** Does what the state requires, and enters the next state. */
  async #step(state: MembershipState): Promise<void> {
    switch (state.name) {
      case 'joining':
      case 'rejoining':
        this.#enter(await this.#join(state));
        break;
      case 'syncing': {
        const stable = await this.#sync(state);
        if (this.#enter(stable)) this.#options.onAssigned(stable.owned);
        break;
      }
      case 'stable':
        this.#failures = 0;
        this.#problem = undefined;
        this.#enter(await this.#beat(state));
        break;
      case 'left':
        break;
    }
  }

  /** @returns false if the member has left, which is final */
  #enter(next: MembershipState): boolean {
    if (this.#state.name === 'left') return false;
    this.#state = next;
    return true;
  }

  async #join(state: Joining | Rejoining): Promise<MembershipState> {
    const { owned } = state;
    const topics = await this.#describeTopics();
    if (topics.size === 0) {
      const names = this.#options.topics.join(', ');
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `none of these topics exists: ${names}`);
    }
    const response = await this.#coordinator.join(state.memberId, encodeSubscription(topics, owned));
    if (response.status === 'id-assigned') return { ...state, memberId: response.memberId };
    const { member, subscriptions } = response;
    return { name: 'syncing', member, topics, subscriptions, owned };
  }

  async #sync({ member, topics, subscriptions }: Syncing): Promise<Stable> {
    const plan = subscriptions.length === 0 ? [] : await dividePartitions(this.#brokers, subscriptions);
    const owned = decodeAssignment(await this.#coordinator.sync(member, plan), topics);
    this.#confirmedAt = performance.now();
    return { name: 'stable', member, topics, owned };
  }

  /** Waits, sends one heartbeat, and from time to time checks the topics. */
  async #beat(state: Stable): Promise<MembershipState> {
    const { heartbeatIntervalMs, sessionTimeoutMs, topicIntervalMs } = this.#options;
    const { signal } = this.#closer;
    await pause(backoffMs(0, { baseMs: heartbeatIntervalMs, maxMs: heartbeatIntervalMs }), signal);
    if (signal.aborted) return state;
    const beat = this.#coordinator.heartbeat(state.member);
    await withTimeout(beat, sessionTimeoutMs, () => timedOut(sessionTimeoutMs));
    this.#confirmedAt = performance.now();
    if (performance.now() - this.#topicsReadAt < topicIntervalMs) return state;
    const topics = await this.#describeTopics();
    if (fingerprintOf(topics).equals(fingerprintOf(state.topics))) return state;
    return { name: 'rejoining', memberId: state.member.memberId, owned: state.owned };
  }

  async #recover(error: Error): Promise<void> {
    const code = kafkaErrorCode(error);
    this.#problem = code;
    this.#enter(stateAfterError(this.#state, code));
    // Rebalances are frequent, and the first loss of the membership may be an effect of a long pause of this process:
    // joining again at once costs nothing.
    if (isRebalance(code) || (code === 'UNKNOWN_MEMBER_ID' && this.#failures === 0)) return;
    // A coordinator that does not know the member is the right one. After any other error, another broker may be it.
    if (!isUnknownMember(code)) this.#coordinator.disconnect();
    if (this.#failures > 0) this.#options.onProblem(error);
    await pause(backoffMs(this.#failures++, retryBounds), this.#closer.signal);
  }

  async #describeTopics(): Promise<ReadonlyMap<string, Topic>> {
    const topics = await this.#brokers.describe(this.#options.topics);
    this.#topicsReadAt = performance.now();
    return topics;
  }
}

function timedOut(ms: number): KafkaError {
  return new KafkaError('TIMED_OUT', `the coordinator did not answer within ${ms} ms`);
}
