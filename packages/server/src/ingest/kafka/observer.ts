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

/**
 * What an application can observe of the ingest, for metrics and logs. Methods are called synchronously, after the fact; they
 * must return quickly and must not throw.
 */
export interface KafkaIngestObserver {
  /** The group's offsets were committed to Kafka, where they show the lag. */
  onOffsetsCommitted?(partitions: readonly (TopicPartition & { readonly next: number })[]): void;
  onAssigned?(partitions: readonly TopicPartition[]): void;
  onRevoked?(partitions: readonly TopicPartition[]): void;
  /** A range was stored. */
  onBatch?(batch: IngestBatch): void;
  /** A message was stored as a dead letter, for this reason. */
  onDeadLetter?(reason: string): void;
  /** The broker deleted a range before it was read. The chain has a `source.lost` record of it. */
  onLost?(range: IngestRange): void;
  onRebalance?(): void;
  /** A transaction is tried again. */
  onRetry?(reason: string): void;
  /** An error after which the ingest tries again, or stops; `KafkaIngestStatus` then has the reason. */
  onProblem?(error: Error): void;
}

/** One observer that passes every call on to all of these. */
export function combineIngestObservers(...observers: readonly KafkaIngestObserver[]): KafkaIngestObserver {
  return {
    onOffsetsCommitted: (partitions) => {
      for (const each of observers) each.onOffsetsCommitted?.(partitions);
    },
    onAssigned: (partitions) => {
      for (const each of observers) each.onAssigned?.(partitions);
    },
    onRevoked: (partitions) => {
      for (const each of observers) each.onRevoked?.(partitions);
    },
    onBatch: (batch) => {
      for (const each of observers) each.onBatch?.(batch);
    },
    onDeadLetter: (reason) => {
      for (const each of observers) each.onDeadLetter?.(reason);
    },
    onLost: (range) => {
      for (const each of observers) each.onLost?.(range);
    },
    onRebalance: () => {
      for (const each of observers) each.onRebalance?.();
    },
    onRetry: (reason) => {
      for (const each of observers) each.onRetry?.(reason);
    },
    onProblem: (error) => {
      for (const each of observers) each.onProblem?.(error);
    },
  };
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
