import type { KafkaConnection } from '../../kafka-client/connection.ts';
import type { KafkaIngestObserver, OnIngestStage } from './observer.ts';

/** What to read from Kafka, and how. */
export interface KafkaIngestOptions {
  readonly connection: KafkaConnection;
  readonly topics?:
    | {
        /** A client that may write to this topic may write for every tenant. @defaultValue 'audit.events' */
        readonly events?: string | undefined;
        /**
         * The topic of the service's own gateway, whose headers say who submitted an event. Not read if absent. Only the
         * service may write to it.
         */
        readonly gateway?: string | undefined;
      }
    | undefined;
  /** @defaultValue 'tallystick.audit-service' */
  readonly groupId?: string | undefined;
  /** After how long without a heartbeat other members take over a member's partitions, ms. @defaultValue 10000 */
  readonly sessionTimeoutMs?: number | undefined;
  /** @defaultValue a quarter of the session timeout */
  readonly heartbeatIntervalMs?: number | undefined;
  /** How long a rebalance waits for its members, ms. @defaultValue 15000, or the session timeout if that is longer */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** Most messages of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number | undefined;
  /**
   * Most bytes of messages of one transaction, unless one message is longer. Smaller if this replica reads so many
   * partitions that it would hold more than 64 MiB of messages. @defaultValue 4194304
   */
  readonly maxBatchBytes?: number | undefined;
  /** Bytes to ask for in one fetch of one partition. @defaultValue 1048576 */
  readonly fetchBytes?: number | undefined;
  /** How long a broker may wait for the first message before it answers with none, ms. @defaultValue 500 */
  readonly fetchWaitMs?: number | undefined;
  /** Most transactions at a time, over all partitions; the store's connections limit them too. @defaultValue 4 */
  readonly maxTransactions?: number | undefined;
  /**
   * How often offsets are committed to Kafka, ms. They show the lag; reading always starts from the position in the store.
   * @defaultValue 1000
   */
  readonly offsetIntervalMs?: number | undefined;
  /** How often the service stores which partitions are read to their end, ms. @defaultValue 5000 */
  readonly drainedIntervalMs?: number | undefined;
  /** How often to look whether the topics have new partitions, ms. @defaultValue 30000 */
  readonly topicIntervalMs?: number | undefined;
  /** How long `close()` waits for transactions in flight, ms. @defaultValue 10000 */
  readonly drainMs?: number | undefined;
  /**
   * Goes on although the store stands behind the offsets that the group has committed to Kafka: this is how a store that
   * was restored from a backup looks. The messages since the backup are read again. Set this for one start, after
   * `tally recover`. @defaultValue false
   */
  readonly acceptRestored?: boolean | undefined;
  /**
   * Goes on although a partition's log has lost its end, so that it is not the log that was read: the partition is read
   * again from its start, and messages that are stored already are dropped as duplicates. Set this for one start, if the
   * lost messages can't be recovered. @defaultValue false
   */
  readonly acceptTruncated?: boolean | undefined;
  readonly observer?: KafkaIngestObserver | undefined;
  /** For fault injection. */
  readonly onStage?: OnIngestStage | undefined;
}
