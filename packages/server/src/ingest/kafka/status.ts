import type { TopicPartition } from '../../kafka-client/brokers.ts';

/** Why the ingest, or one partition of it, has stopped until an operator acts. */
export interface IngestStop {
  /**
   * `SOURCE_AHEAD_OF_STORE`: the group has committed offsets that the store has not reached, because the store was restored
   * from an older backup. `SOURCE_BEHIND_STORE`: the broker's log ends before the stored position, because the topic was
   * truncated or the cluster restored. `SOURCE_DIVERGED`: the same, and the log has since grown beyond the stored position
   * with other messages. `SOURCE_CORRUPT`: a record batch does not match its checksum, or can't be parsed.
   */
  readonly code: 'SOURCE_AHEAD_OF_STORE' | 'SOURCE_BEHIND_STORE' | 'SOURCE_DIVERGED' | 'SOURCE_CORRUPT';
  readonly message: string;
}

/** Progress of one partition. */
export interface PartitionStatus extends TopicPartition {
  /** Offset of the first message that is not stored; undefined until it was read from the store. */
  readonly position: number | undefined;
  /** End of the partition's log, as of the last fetch. */
  readonly end: number | undefined;
  /** Messages in the log that are not stored. */
  readonly lag: number | undefined;
  /** Why the last attempt to read or to store failed; undefined if it succeeded. */
  readonly failing: string | undefined;
  readonly stopped: IngestStop | undefined;
}

/** Progress of the ingest of this replica. */
export interface KafkaIngestStatus {
  /** `joining`: not a stable member of the group now. `stopped`: all partitions, for the reason in `stopped`. */
  readonly state: 'joining' | 'consuming' | 'stopped' | 'closing' | 'closed';
  readonly stopped: IngestStop | undefined;
  readonly partitions: readonly PartitionStatus[];
  /** Assignments of partitions that this member has got. */
  readonly rebalances: number;
  /** Reasons why messages are not stored now; empty if there are none. `/ready` shows them. */
  readonly notReadyReasons: readonly string[];
}
