import type { AuditService } from '../../app.ts';
import { ServerError } from '../../errors.ts';
import { Brokers } from '../../kafka-client/brokers.ts';
import { Fetches } from '../../kafka-client/fetch/fetches.ts';
import { type AssignedPartition, Membership } from '../../kafka-client/group/membership.ts';
import { within } from '../../kafka-client/within.ts';
import type {
  IngestStop,
  KafkaIngestHooks,
  KafkaIngestOptions,
  KafkaIngestStatus,
  TopicPartition,
} from './options.ts';
import { Joiner } from './partition/joiner.ts';
import { PartitionIngest } from './partition/partition-ingest.ts';
import { named } from './source-error.ts';
import { defaultTopics } from './topics/plan.ts';

const defaultGroupId = 'tallystick.audit-service';

const mebibyte = 1024 * 1024;
const commitMs = 3_000;
/** Bytes of messages that all partitions may hold at a time. */
const maxHeldBytes = 64 * mebibyte;
/** Of each partition: one that is stored, one that is ready, one that is fetched. */
const batchesHeld = 3;
/** The largest event and what belongs to it. */
const smallestBatch = mebibyte / 2;

/**
 * Reads topics into the chains, each message once, whatever dies.
 *
 * The position of each partition is stored in the transaction that stores its messages, so the two can't contradict each
 * other, and where a consumer begins is never a matter of what Kafka was told. What is lost where the process ends:
 *
 * | it ends | and |
 * |---|---|
 * | after the fetch, before the commit | the messages are read again: nothing was stored, the position has not moved |
 * | in the middle of the commit | Postgres has all of it or nothing; the next owner reads the position and knows |
 * | after the commit, before Kafka's offset | nothing: the offset shows the lag and is behind until the next commit |
 * | while frozen, and another has taken over | nothing: its transaction ends, by eviction or in vain, and is read again |
 */
export class KafkaIngest {
  readonly #service: AuditService;
  readonly #options: KafkaIngestOptions;
  readonly #hooks: KafkaIngestHooks;
  readonly #brokers: Brokers;
  readonly #fetches: Fetches;
  readonly #membership: Membership;
  readonly #joiner: Joiner;
  readonly #sessionTimeoutMs: number;
  readonly #rebalanceTimeoutMs: number;
  /** By topic id and partition. */
  readonly #partitions = new Map<string, PartitionIngest>();
  /** Partitions that were revoked, and whose last transaction may still run. */
  readonly #ending = new Set<Promise<void>>();
  /** What Kafka was told last, by the same keys. */
  readonly #committed = new Map<string, number>();
  readonly #offsetTimer: NodeJS.Timeout;
  #rebalances = 0;
  #stopped: IngestStop | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;
  readonly #obstacles = () => this.status().obstacles;

  private constructor(service: AuditService, options: KafkaIngestOptions) {
    this.#service = service;
    this.#options = options;
    this.#hooks = options.on ?? {};
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? Math.max(15_000, this.#sessionTimeoutMs);
    this.#joiner = new Joiner(service, {
      maxTransactions: options.maxTransactions ?? 4,
      maxItems: options.maxBatch ?? 1_000,
    });
    this.#brokers = new Brokers(options.connection);
    this.#fetches = new Fetches(this.#brokers, options.fetchWaitMs ?? 500);
    this.#membership = new Membership(this.#brokers, {
      groupId: options.groupId ?? defaultGroupId,
      topics: [this.#eventsTopic, ...(this.#gatewayTopic === undefined ? [] : [this.#gatewayTopic])],
      sessionTimeoutMs: this.#sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? this.#sessionTimeoutMs / 4,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
      topicIntervalMs: options.topicIntervalMs ?? 30_000,
      onAssigned: (assigned) => this.#assign(assigned),
      onProblem: (error) => this.#hooks.problem?.(named(error)),
    });
    this.#offsetTimer = setInterval(() => {
      this.#commitOffsets().catch(() => undefined);
    }, options.offsetIntervalMs ?? 1_000);
    this.#offsetTimer.unref();
    service.readinessChecks.add(this.#obstacles);
  }

  /**
   * Begins to read. Resolves at once: brokers that are away are waited for, and {@link status} tells.
   *
   * @throws {ServerError} `CONFIG_INVALID`
   */
  static async start(service: AuditService, options: KafkaIngestOptions): Promise<KafkaIngest> {
    if (options.connection.bootstrapBrokers.length === 0) {
      throw new ServerError('CONFIG_INVALID', 'no Kafka broker is named');
    }
    const { events = defaultTopics.events, gateway } = options.topics ?? {};
    if (events === gateway) {
      throw new ServerError('CONFIG_INVALID', "the gateway's topic must be one that nobody else writes to");
    }
    return new KafkaIngest(service, options);
  }

  get #eventsTopic(): string {
    return this.#options.topics?.events ?? defaultTopics.events;
  }

  get #gatewayTopic(): string | undefined {
    return this.#options.topics?.gateway;
  }

  status(): KafkaIngestStatus {
    const partitions = [...this.#partitions.values()];
    return {
      state: this.#state(),
      stopped: this.#stopped,
      partitions: partitions.map(({ status }) => status),
      rebalances: this.#rebalances,
      obstacles: this.#closed ? [] : this.#findObstacles(partitions),
    };
  }

  /**
   * Fetches nothing more, waits for the transactions that run, tells Kafka the offsets and leaves the group. What was
   * fetched and not stored is read again by whoever is next. Safe to call twice.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #state(): KafkaIngestStatus['state'] {
    if (this.#closing !== undefined) return this.#closed ? 'closed' : 'closing';
    if (this.#stopped !== undefined) return 'stopped';
    return this.#membership.joined ? 'consuming' : 'joining';
  }

  #findObstacles(partitions: readonly PartitionIngest[]): string[] {
    if (this.#stopped !== undefined) return [`${this.#stopped.code}: ${this.#stopped.message}`];
    const found: string[] = [];
    const { silentMs, joined } = this.#membership;
    const isLost = silentMs > this.#sessionTimeoutMs + (joined ? 0 : this.#rebalanceTimeoutMs);
    const why = this.#membership.trouble === undefined ? '' : `: ${this.#membership.trouble}`;
    if (this.#rebalances === 0) found.push(`Kafka: not a member of the group yet${why}`);
    else if (isLost) found.push(`Kafka: without its group for ${Math.round(silentMs / 1_000)} s${why}`);
    for (const { status, storeFailure } of partitions) {
      const { topic, partition, stopped } = status;
      if (stopped !== undefined) found.push(`${stopped.code}: ${stopped.message}`);
      else if (storeFailure !== undefined)
        found.push(`Kafka: ${topic}/${partition} can't be stored: ${storeFailure}`);
    }
    return found;
  }

  #assign(assigned: readonly AssignedPartition[]): void {
    if (this.#closing !== undefined || this.#stopped !== undefined) return;
    this.#rebalances++;
    const wanted = new Map(assigned.map((each) => [keyOf(each), each]));
    const revoked: TopicPartition[] = [];
    for (const [key, partition] of this.#partitions) {
      if (wanted.has(key)) continue;
      this.#end(key, partition);
      revoked.push({ topic: partition.topic.name, partition: partition.partition });
    }
    const fresh: TopicPartition[] = [];
    for (const [key, each] of wanted) {
      if (this.#partitions.has(key)) continue;
      this.#partitions.set(key, this.#begin(each));
      fresh.push({ topic: each.topic.name, partition: each.partition });
    }
    this.#hooks.rebalanced?.();
    if (revoked.length > 0) this.#hooks.revoked?.(revoked);
    if (fresh.length > 0) this.#hooks.assigned?.(fresh);
  }

  /** Bytes that one batch of a partition may have: what all of them hold in memory together is bounded. */
  #batchBytes(): number {
    const each = maxHeldBytes / (batchesHeld * Math.max(1, this.#partitions.size));
    return Math.floor(Math.max(smallestBatch, Math.min(this.#options.maxBatchBytes ?? 4 * mebibyte, each)));
  }

  #begin({ topic, partition }: AssignedPartition): PartitionIngest {
    const options = this.#options;
    const batchBytes = () => this.#batchBytes();
    return new PartitionIngest({
      service: this.#service,
      brokers: this.#brokers,
      fetches: this.#fetches,
      topic,
      partition,
      fromGateway: topic.name === this.#gatewayTopic,
      joiner: this.#joiner,
      maxBatch: options.maxBatch ?? 1_000,
      // Asked for at each batch: partitions come and go.
      get maxBatchBytes() {
        return batchBytes();
      },
      get fetchBytes() {
        return Math.min(options.fetchBytes ?? mebibyte, batchBytes());
      },
      acceptRestored: options.acceptRestored ?? false,
      acceptTruncated: options.acceptTruncated ?? false,
      offsetsFirst: options.offsetsFirst ?? false,
      hooks: this.#hooks,
      committed: () => this.#membership.committed(topic.name, partition),
      commit: async (next) => {
        await this.#membership.commit([{ topic: topic.name, partition, next }]);
        this.#committed.set(keyOf({ topic, partition }), next);
      },
      onTopicGone: () => this.#membership.lookAtTopics(),
      onHalt: (stop) => this.#halt(stop),
    });
  }

  #end(key: string, partition: PartitionIngest): void {
    this.#partitions.delete(key);
    this.#committed.delete(key);
    const ending = partition.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** One partition has seen that the store is not the one that was written to: nothing is to be added to it. */
  #halt(stop: IngestStop): void {
    if (this.#stopped !== undefined || this.#closing !== undefined) return;
    this.#stopped = stop;
    for (const [key, partition] of this.#partitions) this.#end(key, partition);
    this.#membership.close().catch(() => undefined);
  }

  async #commitOffsets(): Promise<void> {
    if (this.#options.offsetsFirst === true || !this.#membership.joined) return;
    const moved = [...this.#partitions].flatMap(([key, { topic, partition, position }]) =>
      position === undefined || position === this.#committed.get(key)
        ? []
        : [{ key, topic: topic.name, partition, next: position }],
    );
    if (moved.length === 0) return;
    await this.#membership.commit(moved);
    for (const { key, next } of moved) this.#committed.set(key, next);
    this.#hooks.offsetsCommitted?.(moved.map(({ topic, partition, next }) => ({ topic, partition, next })));
  }

  async #close(): Promise<void> {
    clearInterval(this.#offsetTimer);
    const running = [...this.#partitions.values()].map((partition) => partition.stop());
    await within(this.#options.drainMs ?? 10_000, Promise.all([...running, ...this.#ending])).catch(
      () => undefined,
    );
    await within(commitMs, this.#commitOffsets()).catch(() => undefined);
    await this.#membership.close();
    this.#fetches.close();
    this.#brokers.close();
    this.#service.readinessChecks.delete(this.#obstacles);
    this.#closed = true;
  }
}

function keyOf({ topic, partition }: AssignedPartition): string {
  return `${topic.id}/${partition}`;
}
