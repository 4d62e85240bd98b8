import type { TopicPartition } from '../../kafka-client/brokers.ts';

/** The messages of a partition from the offset `from` up to, not including, `next`. */
export interface IngestRange extends TopicPartition {
  readonly from: number;
  readonly next: number;
}

/** A range that a transaction has stored. */
export interface IngestBatch extends IngestRange {
  /** Events and refused messages; without producer statements, control records and offsets that compaction removed. */
  readonly items: number;
  /** From the first attempt to store the range to its commit, retries included, ms. */
  readonly durationMs: number;
}

/** Called with what the ingest does, for metrics and logs. The calls are synchronous. */
export interface KafkaIngestObserver {
  /** The group's offsets were committed to Kafka, where they show the lag. */
  offsetsCommitted?(partitions: readonly (TopicPartition & { readonly next: number })[]): void;
  assigned?(partitions: readonly TopicPartition[]): void;
  revoked?(partitions: readonly TopicPartition[]): void;
  /** A range was stored. */
  batch?(batch: IngestBatch): void;
  /** A message was stored as a dead letter, for this reason. */
  deadLetter?(reason: string): void;
  /** The broker deleted a range before it was read. The chain has a `source.lost` record of it. */
  lost?(range: IngestRange): void;
  rebalanced?(): void;
  /** A transaction is tried again. */
  retry?(reason: string): void;
  /** An error after which the ingest tries again, or stops; `KafkaIngestStatus` then has the reason. */
  problem?(error: Error): void;
}

/**
 * A step of a transaction that stores ranges. `copying`: about half of the rows were handed to COPY. `committing`: every row
 * is written, and the commit comes next. `committed`: PostgreSQL has committed, and Kafka's offsets are not updated yet.
 */
export type IngestStage = 'copying' | 'committing' | 'committed';

/**
 * For fault injection: called at each stage of each transaction, with its ranges. At `committing` and `committed` a promise
 * is awaited. An error fails the transaction, or, at `committed`, is handled as if the commit's outcome were unknown: the
 * ranges are tried again, and are stored once.
 */
export type OnIngestStage = (stage: IngestStage, ranges: readonly IngestRange[]) => void | Promise<void>;
