import { partitionKey, type TopicPartition } from '../../kafka-client/brokers.ts';
import type { AssignedPartition } from '../../kafka-client/group/subscription.ts';
import type { PartitionIngest } from './partition/partition-ingest.ts';

/** The partitions that this replica reads. */
export class AssignedPartitions implements Iterable<PartitionIngest> {
  readonly #start: (assigned: AssignedPartition) => PartitionIngest;
  readonly #onStopped: (topicId: string, partition: number) => void;
  /** By {@link partitionKey}. Changed by assignments, and by {@link stopAll}. */
  readonly #partitions = new Map<string, PartitionIngest>();
  /** Partitions that were stopped, until their last transaction has ended. */
  readonly #stopping = new Set<Promise<void>>();

  /**
   * @param start begins to read a partition
   * @param onStopped called with each partition that this replica does not read any more
   */
  constructor(
    start: (assigned: AssignedPartition) => PartitionIngest,
    onStopped: (topicId: string, partition: number) => void,
  ) {
    this.#start = start;
    this.#onStopped = onStopped;
  }

  get size(): number {
    return this.#partitions.size;
  }

  [Symbol.iterator](): Iterator<PartitionIngest> {
    return this.#partitions.values();
  }

  /** Stops partitions that were taken away, and begins to read new ones; the others go on. */
  assign(assigned: readonly AssignedPartition[]): {
    readonly added: readonly TopicPartition[];
    readonly revoked: readonly TopicPartition[];
  } {
    const wanted = new Map(assigned.map((each) => [partitionKey(each.topic.id, each.partition), each]));
    const revoked = [...this.#partitions].filter(([key]) => !wanted.has(key));
    for (const [key, partition] of revoked) this.#stop(key, partition);
    const added = [...wanted].filter(([key]) => !this.#partitions.has(key));
    for (const [key, each] of added) this.#partitions.set(key, this.#start(each));
    return { added: added.map(([, each]) => nameOf(each)), revoked: revoked.map(([, each]) => nameOf(each)) };
  }

  stopAll(): void {
    for (const [key, partition] of this.#partitions) this.#stop(key, partition);
  }

  /** Stops every partition without removing it, and resolves when all transactions in flight have ended. */
  async drain(): Promise<void> {
    const running = [...this.#partitions.values()].map((partition) => partition.stop());
    await Promise.all([...running, ...this.#stopping]);
  }

  #stop(key: string, partition: PartitionIngest): void {
    this.#partitions.delete(key);
    this.#onStopped(partition.topic.id, partition.partition);
    const stopping = partition.stop().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }
}

function nameOf({ topic, partition }: AssignedPartition): TopicPartition {
  return { topic: topic.name, partition };
}
