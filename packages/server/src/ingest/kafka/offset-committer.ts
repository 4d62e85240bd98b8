import { partitionKey, type Topic } from '../../kafka-client/brokers.ts';
import type { Membership } from '../../kafka-client/group/membership.ts';
import type { KafkaIngestObserver } from './observer.ts';
import type { PartitionIngest } from './partition/partition-ingest.ts';

export interface OffsetCommitterOptions {
  readonly membership: Pick<Membership, 'state' | 'commitOffsets'>;
  readonly partitions: () => Iterable<Pick<PartitionIngest, 'topic' | 'partition' | 'position'>>;
  readonly observer: KafkaIngestObserver;
  readonly intervalMs: number;
}

/**
 * Commits the offsets of stored messages to Kafka at an interval. They show the lag to Kafka's own tools, and they reveal a
 * store that was restored from a backup. Reading never starts from them, so a commit that fails is left to the next one.
 */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions;
  /** The offset that this process committed last, by {@link partitionKey}. */
  readonly #committed = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: OffsetCommitterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.commitStored().catch(() => undefined);
    }, options.intervalMs);
    this.#timer.unref();
  }

  /** Commits one offset now. */
  async commit({ id, name: topic }: Topic, partition: number, next: number): Promise<void> {
    await this.#options.membership.commitOffsets([{ topic, partition, next }]);
    this.#committed.set(partitionKey(id, partition), next);
  }

  /** Commits the positions of all partitions that have moved. Does nothing unless this replica is a stable member. */
  async commitStored(): Promise<void> {
    const { membership, partitions, observer } = this.#options;
    if (membership.state !== 'stable') return;
    const moved = [...partitions()].flatMap(({ topic, partition, position: next }) => {
      const key = partitionKey(topic.id, partition);
      if (next === undefined || next === this.#committed.get(key)) return [];
      return [{ key, offset: { topic: topic.name, partition, next } }];
    });
    if (moved.length === 0) return;
    const offsets = moved.map(({ offset }) => offset);
    await membership.commitOffsets(offsets);
    for (const { key, offset } of moved) this.#committed.set(key, offset.next);
    observer.onOffsetsCommitted?.(offsets);
  }

  /** For a partition that another replica may commit from now on. */
  forget(topicId: string, partition: number): void {
    this.#committed.delete(partitionKey(topicId, partition));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
