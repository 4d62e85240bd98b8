import { ServerError } from '../../errors.ts';
import { Brokers } from '../../kafka-client/brokers.ts';
import { Fetcher } from '../../kafka-client/fetch/fetcher.ts';
import { Membership } from '../../kafka-client/group/membership.ts';
import type { AssignedPartition } from '../../kafka-client/group/subscription.ts';
import { withKafkaReason } from '../../kafka-client/kafka-error.ts';
import { withTimeout } from '../../timing/timeout.ts';
import { AssignedPartitions } from './assigned-partitions.ts';
import { DrainedPositions } from './drained-positions.ts';
import { findNotReadyReasons } from './not-ready.ts';
import type { KafkaIngestObserver } from './observer.ts';
import { OffsetCommitter } from './offset-committer.ts';
import type { KafkaIngestOptions } from './options.ts';
import { GroupCommit } from './partition/group-commit.ts';
import { PartitionIngest } from './partition/partition-ingest.ts';
import { PartitionLimits } from './partition/partition-limits.ts';
import type { IngestStop, KafkaIngestStatus } from './status.ts';
import type { IngestTarget } from './target.ts';
import { defaultTopics } from './topics/plan.ts';

const defaultGroupId = 'tallystick.audit-service';

/** How long the last commit of offsets may take when the ingest closes, ms. */
const lastCommitMs = 3_000;

/**
 * Reads topics into the chains. Each message is stored once, whichever process crashes at whichever moment.
 *
 * The position of a partition is stored in the transaction that stores its messages, so the two always agree. A consumer
 * starts from that position, and never from an offset in Kafka. What is lost when this process ends:
 *
 * | it ends | lost |
 * |---|---|
 * | after a fetch, before the commit | nothing: the position has not moved, and the messages are read again |
 * | during the commit | nothing: PostgreSQL has stored all or nothing, and the next owner reads the position |
 * | after the commit, before the offset is in Kafka | nothing: the lag that Kafka reports is too high until the next commit |
 * | frozen, after another replica has taken over | nothing: its transaction is rolled back, or finds the messages stored |
 */
export class KafkaIngest {
  readonly #target: IngestTarget;
  readonly #options: KafkaIngestOptions;
  readonly #observer: KafkaIngestObserver;
  readonly #brokers: Brokers;
  readonly #fetcher: Fetcher;
  readonly #membership: Membership;
  readonly #groupCommit: GroupCommit;
  readonly #offsets: OffsetCommitter;
  readonly #drained: DrainedPositions;
  readonly #partitions: AssignedPartitions;
  readonly #limits: PartitionLimits;
  readonly #sessionTimeoutMs: number;
  readonly #rebalanceTimeoutMs: number;
  readonly #topics: { readonly events: string; readonly gateway: string | undefined };
  #rebalances = 0;
  #stopped: IngestStop | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;
  readonly #readinessCheck = () => this.status().notReadyReasons;

  private constructor(target: IngestTarget, options: KafkaIngestOptions) {
    this.#target = target;
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#topics = topicsOf(options);
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? Math.max(15_000, this.#sessionTimeoutMs);
    this.#brokers = new Brokers(options.connection);
    this.#fetcher = new Fetcher(this.#brokers, options.fetchWaitMs ?? 500);
    this.#partitions = new AssignedPartitions(
      (assigned) => this.#startPartition(assigned),
      (topicId, partition) => this.#offsets.forget(topicId, partition),
    );
    this.#limits = new PartitionLimits(options, this.#partitions);
    this.#groupCommit = new GroupCommit(target, {
      maxTransactions: options.maxTransactions ?? 4,
      maxItems: this.#limits.maxBatch,
      onStage: options.onStage,
    });
    const { events, gateway } = this.#topics;
    this.#membership = new Membership(this.#brokers, {
      groupId: options.groupId ?? defaultGroupId,
      topics: gateway === undefined ? [events] : [events, gateway],
      sessionTimeoutMs: this.#sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? this.#sessionTimeoutMs / 4,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
      topicIntervalMs: options.topicIntervalMs ?? 30_000,
      onAssigned: (assigned) => this.#assign(assigned),
      onProblem: (error) => this.#observer.onProblem?.(withKafkaReason(error)),
    });
    this.#offsets = new OffsetCommitter({
      membership: this.#membership,
      partitions: () => this.#partitions,
      observer: this.#observer,
      intervalMs: options.offsetIntervalMs ?? 1_000,
    });
    this.#drained = new DrainedPositions({
      database: target.database,
      partitions: () => this.#partitions,
      intervalMs: options.drainedIntervalMs ?? 5_000,
      onProblem: (error) => this.#observer.onProblem?.(withKafkaReason(error)),
    });
    target.readinessChecks.add(this.#readinessCheck);
  }

  /**
   * Begins to read. Resolves at once: if no broker can be reached, the ingest keeps trying, and {@link status} says so.
   *
   * @param target the audit service
   * @throws {ServerError} `CONFIG_INVALID`
   */
  static async start(target: IngestTarget, options: KafkaIngestOptions): Promise<KafkaIngest> {
    if (options.connection.bootstrapBrokers.length === 0) {
      throw new ServerError('CONFIG_INVALID', 'no Kafka broker is configured');
    }
    const { events, gateway } = topicsOf(options);
    if (events === gateway) {
      throw new ServerError(
        'CONFIG_INVALID',
        `${events} can't be both the topic of the events and that of the gateway: only the service may write to the latter`,
      );
    }
    return new KafkaIngest(target, options);
  }

  status(): KafkaIngestStatus {
    const partitions = [...this.#partitions];
    const health = {
      stopped: this.#stopped,
      rebalances: this.#rebalances,
      membership: this.#membership,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
      partitions,
    };
    return {
      state: this.#state(),
      stopped: this.#stopped,
      partitions: partitions.map(({ status }) => status),
      rebalances: this.#rebalances,
      notReadyReasons: this.#closed ? [] : findNotReadyReasons(health),
    };
  }

  /**
   * Stops fetching, waits for transactions in flight, commits the offsets to Kafka and leaves the group. Messages that were
   * fetched and not stored are read again by the next owner of their partition. Safe to call twice.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #state(): KafkaIngestStatus['state'] {
    if (this.#closing !== undefined) return this.#closed ? 'closed' : 'closing';
    if (this.#stopped !== undefined) return 'stopped';
    return this.#membership.state === 'stable' ? 'consuming' : 'joining';
  }

  #assign(assigned: readonly AssignedPartition[]): void {
    if (this.#closing !== undefined || this.#stopped !== undefined) return;
    this.#rebalances++;
    const { added, revoked } = this.#partitions.assign(assigned);
    this.#observer.onRebalance?.();
    if (revoked.length > 0) this.#observer.onRevoked?.(revoked);
    if (added.length > 0) this.#observer.onAssigned?.(added);
  }

  #startPartition({ topic, partition }: AssignedPartition): PartitionIngest {
    const { acceptRestored = false, acceptTruncated = false } = this.#options;
    return new PartitionIngest({
      database: this.#target.database,
      admission: this.#target.admission,
      serviceTenant: this.#target.serviceTenant,
      now: this.#target.now,
      brokers: this.#brokers,
      fetcher: this.#fetcher,
      groupCommit: this.#groupCommit,
      topic,
      partition,
      fromGateway: topic.name === this.#topics.gateway,
      limits: this.#limits,
      acceptRestored,
      acceptTruncated,
      observer: this.#observer,
      committedOffset: () => this.#membership.committedOffset({ topic: topic.name, partition }),
      commitOffset: (next) => this.#offsets.commit(topic, partition, next),
      onTopicGone: () => this.#membership.checkTopicsSoon(),
      onStoreWentBack: (stop) => this.#stopAll(stop),
    });
  }

  /** The store is not the one that was written to: nothing may be added to it, whichever partition has noticed. */
  #stopAll(stop: IngestStop): void {
    if (this.#stopped !== undefined || this.#closing !== undefined) return;
    this.#stopped = stop;
    this.#partitions.stopAll();
    this.#membership.close().catch(() => undefined);
  }

  async #close(): Promise<void> {
    this.#offsets.stop();
    await waitAtMost(lastCommitMs, this.#drained.stop());
    await waitAtMost(this.#options.drainMs ?? 10_000, this.#partitions.drain());
    await waitAtMost(lastCommitMs, this.#offsets.commitStored());
    await this.#membership.close();
    this.#fetcher.close();
    this.#brokers.close();
    this.#target.readinessChecks.delete(this.#readinessCheck);
    this.#closed = true;
  }
}

function topicsOf({ topics }: KafkaIngestOptions): {
  readonly events: string;
  readonly gateway: string | undefined;
} {
  return { events: topics?.events ?? defaultTopics.events, gateway: topics?.gateway };
}

/** Waits for work, but no longer than `ms`. What does not end in time, or fails, is repeated by the next owner. */
async function waitAtMost(ms: number, work: Promise<void>): Promise<void> {
  await withTimeout(work, ms, () => new Error('timed out')).catch(() => undefined);
}
