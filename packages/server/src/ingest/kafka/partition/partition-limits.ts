import type { PartitionReaderOptions } from '../../../kafka-client/fetch/partition-reader.ts';
import type { KafkaIngestOptions } from '../options.ts';
import type { BatchLimits } from './range-queue.ts';

const mebibyte = 1024 * 1024;
/** Most bytes of messages that all partitions together hold in memory. */
const maxHeldBytes = 64 * mebibyte;
/** Batches that a partition holds: one in its transaction, one that is ready, one that is being fetched. */
const batchesHeld = 3;
/** Room for the largest event and the data beside it. */
const minBatchBytes = mebibyte / 2;

/** The limits of each partition. They shrink as partitions are added, so that the memory of all of them stays bounded. */
export class PartitionLimits implements BatchLimits, PartitionReaderOptions {
  readonly maxBatch: number;
  readonly #maxBatchBytes: number;
  readonly #fetchBytes: number;
  readonly #partitions: { readonly size: number };

  /** @param partitions the partitions that share the memory */
  constructor(
    options: Pick<KafkaIngestOptions, 'maxBatch' | 'maxBatchBytes' | 'fetchBytes'>,
    partitions: { readonly size: number },
  ) {
    this.maxBatch = options.maxBatch ?? 1_000;
    this.#maxBatchBytes = options.maxBatchBytes ?? 4 * mebibyte;
    this.#fetchBytes = options.fetchBytes ?? mebibyte;
    this.#partitions = partitions;
  }

  get maxBatchBytes(): number {
    const share = maxHeldBytes / (batchesHeld * Math.max(1, this.#partitions.size));
    return Math.floor(Math.max(minBatchBytes, Math.min(this.#maxBatchBytes, share)));
  }

  get fetchBytes(): number {
    return Math.min(this.#fetchBytes, this.maxBatchBytes);
  }
}
