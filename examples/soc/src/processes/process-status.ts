import type { ConsumerGroup } from '../platform/kafka/topic-readers.ts';

/** What a process says about its work. */
export interface ProcessStatus {
  /** Another one after each start. */
  readonly startedAs: string;
  readonly groups: readonly ConsumerGroup[];
  /** Messages that came in or went out since the start: it grows with everything that moves. */
  readonly moved: number;
  /** Pieces of work that are being done beside the topics. */
  readonly busy: number;
  /** Pieces of work that wait for people. */
  readonly open: number;
  /** Messages that are stored and not yet in Kafka. */
  readonly outgoing: number;
  /** Records that are stored and not yet at the audit service. */
  readonly records: number;
}
