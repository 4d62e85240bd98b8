import type { BaseOptions } from '@platformatic/kafka';

/** How the brokers are reached; what `@platformatic/kafka` takes. */
export interface KafkaConnection extends Pick<BaseOptions, 'tls' | 'tlsServerName' | 'sasl'> {
  /** `host:port` of brokers to begin with. */
  readonly bootstrapBrokers: string[];
  /** Shown in the brokers' logs and quotas. @defaultValue 'tallystick' */
  readonly clientId?: string;
}

/** Part of a partition: the messages from one offset up to, not including, another. */
export interface IngestRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
}

/** A partition by name and number. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A transaction that committed. */
export interface IngestBatch extends IngestRange {
  /** Events and refused messages; without statements, control records and holes. */
  readonly items: number;
  /** From the transaction's begin to its commit, retries included. */
  readonly durationMs: number;
}

/**
 * Told of what the ingest does. What returns a promise is awaited, and an error thrown by `copying`, `committing` or
 * `committed` counts as that step's own: the batch is tried again, and stored once.
 */
export interface KafkaIngestHooks {
  /** About half of the rows were handed to COPY. Called synchronously, between two chunks of rows. */
  copying?(range: IngestRange): void;
  /** In the transaction, everything is written; the commit is next. */
  committing?(range: IngestRange): Promise<void> | void;
  /** Postgres has committed; Kafka does not know of it yet. */
  committed?(range: IngestRange): Promise<void> | void;
  /** The group's offsets were committed to Kafka: for watching the lag from outside, nothing more. */
  offsetsCommitted?(partitions: readonly (TopicPartition & { readonly next: number })[]): void;
  assigned?(partitions: readonly TopicPartition[]): void;
  revoked?(partitions: readonly TopicPartition[]): void;
  batch?(batch: IngestBatch): void;
  /** A message was stored as a dead letter, for this reason. After the commit. */
  deadLetter?(reason: string): void;
  /** A range was gone before it could be read; `source.lost` is chained. */
  lost?(range: IngestRange): void;
  rebalanced?(): void;
  /** A transaction is tried again. */
  retry?(reason: string): void;
  /** Something is wrong that the ingest goes on from, or, where it stops, that {@link KafkaIngestStatus} names. */
  problem?(error: Error): void;
}

/** What to read from Kafka, and how. */
export interface KafkaIngestOptions {
  readonly connection: KafkaConnection;
  readonly topics?:
    | {
        /** Who may write here may write for every tenant. @defaultValue 'audit.events' */
        readonly events?: string | undefined;
        /** Written by the service's own gateway, whose headers are believed. Not read where it is absent. */
        readonly gateway?: string | undefined;
      }
    | undefined;
  /** @defaultValue 'tallystick.audit-service' */
  readonly groupId?: string | undefined;
  /** After how long the others take over from a member that is silent, ms. @defaultValue 10000 */
  readonly sessionTimeoutMs?: number | undefined;
  /** @defaultValue a quarter of the session time-out */
  readonly heartbeatIntervalMs?: number | undefined;
  /** How long a rebalance waits for its members, ms. @defaultValue 15000, or the session time-out if that is longer */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** Most messages of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number | undefined;
  /**
   * Most bytes of messages of one transaction, but for a message that is longer alone; less where a replica reads so many
   * partitions that it would hold more than 64 MiB of messages. @defaultValue 4194304
   */
  readonly maxBatchBytes?: number | undefined;
  /** Bytes asked for in one fetch of one partition. @defaultValue 1048576 */
  readonly fetchBytes?: number | undefined;
  /** How long a broker may wait for the first message before it answers an empty fetch, ms. @defaultValue 500 */
  readonly fetchWaitMs?: number | undefined;
  /** Transactions at a time, over all partitions; the store's connections bound it too. @defaultValue 4 */
  readonly maxTransactions?: number | undefined;
  /** How often offsets are committed to Kafka, ms; they show the lag and decide nothing. @defaultValue 1000 */
  readonly offsetIntervalMs?: number | undefined;
  /** How often the topics are looked at for new partitions, ms. @defaultValue 30000 */
  readonly topicIntervalMs?: number | undefined;
  /** How long `close()` waits for batches under way, ms. @defaultValue 10000 */
  readonly drainMs?: number | undefined;
  /**
   * Goes on where the store stands behind what the group has committed to Kafka, which is how a restored backup shows:
   * the messages since then are read again. To be set once, after `tally recover`. @defaultValue false
   */
  readonly acceptRestored?: boolean | undefined;
  /**
   * Goes on where the broker's log is not the one that was read, having lost its end: a partition is read again from its
   * start then, and what is stored already is dropped as a duplicate. To be set once, when the data will not come back.
   *
   * @defaultValue false
   */
  readonly acceptTruncated?: boolean | undefined;
  readonly on?: KafkaIngestHooks | undefined;
  /**
   * Wrong on purpose: trusts Kafka's offsets, commits them before Postgres commits, and ignores the stored positions. A
   * crash between the two loses events. The fault campaign runs it to prove that it would notice.
   *
   * @internal
   */
  readonly offsetsFirst?: true | undefined;
}

/** Why the ingest, or a partition of it, does not go on by itself. */
export interface IngestStop {
  /**
   * `SOURCE_AHEAD_OF_STORE`: the group has committed offsets that the store has not reached: it was restored from an
   * older backup. `SOURCE_BEHIND_STORE`: the broker's log ends before the stored position: the topic was truncated or the
   * cluster restored. `SOURCE_DIVERGED`: the same, and it has grown beyond the stored position again, with other messages
   * than those that were read. `SOURCE_CORRUPT`: a record batch does not match its checksum, or can't be read.
   */
  readonly code: 'SOURCE_AHEAD_OF_STORE' | 'SOURCE_BEHIND_STORE' | 'SOURCE_DIVERGED' | 'SOURCE_CORRUPT';
  readonly message: string;
}

/** How reading goes in one partition. */
export interface PartitionStatus extends TopicPartition {
  /** Offset of the first message that is not stored; undefined until the store was asked. */
  readonly position: number | undefined;
  /** Where the partition's log ends, as the last fetch saw it. */
  readonly end: number | undefined;
  /** Messages that are in the log and not stored. */
  readonly lag: number | undefined;
  /** Why the last attempt to read or to store failed; undefined where it did not. */
  readonly failing: string | undefined;
  readonly stopped: IngestStop | undefined;
}

/** How reading goes. */
export interface KafkaIngestStatus {
  /** `joining`: not a member of the group now. `stopped`: as a whole, and for the reason in `stopped`. */
  readonly state: 'joining' | 'consuming' | 'stopped' | 'closing' | 'closed';
  readonly stopped: IngestStop | undefined;
  readonly partitions: readonly PartitionStatus[];
  /** Assignments that this member was given. */
  readonly rebalances: number;
  /** What keeps messages from being stored; empty where nothing does. Shown by readiness. */
  readonly obstacles: readonly string[];
}
