import type { DeclaredGap, FinalSequence, GapReason } from '@tallystick/protocol';
import type { PendingEvent } from '../event/pending-event.ts';

/** The gaps in one producer's sequence numbers, as far as the service does not know them yet. */
export interface ProducerGaps {
  readonly producerId: string;
  /** Up to `max` gaps to declare with a batch. They are kept until {@link confirmGaps}. */
  takeGaps(max: number): readonly DeclaredGap[];
  /** The service has the first `count` gaps. */
  confirmGaps(count: number): void;
  /** The event with this number is lost. */
  markLost(tenantId: string, sequence: number, reason: GapReason): void;
}

/** The next events to send, all of one producer, and what that producer has to declare. */
export interface OutboundBatch {
  readonly producer: ProducerGaps;
  readonly events: readonly PendingEvent[];
  /** The final sequence numbers of a producer whose process has ended. */
  readonly final?: readonly FinalSequence[];
}

/**
 * The queue of events to send: first in, first out.
 *
 * - `next` MUST return events from the front of the queue and leave them there. `remove` removes them when their outcome is
 *   known.
 * - An implementation MUST NOT change the order of events, even if it keeps some in memory and some on disk.
 */
export interface Outbox {
  /** Resolves when the outbox works, with the number of events that an earlier process left in it. Never rejects. */
  readonly opened: Promise<number>;
  /** Called when events were written to disk, or when the outbox has nothing left to declare. */
  onChange: () => void;
  /** Adds an event. If there is no room, nothing is added and the result is the reason. */
  push(event: PendingEvent): GapReason | undefined;
  next(maxEvents: number, maxBytes: number): OutboundBatch | undefined | Promise<OutboundBatch | undefined>;
  /** @param refusal why the service will never accept these events; they become dead letters if there is a spool */
  remove(batch: OutboundBatch, refusal?: string): void;
  /** Delivery fails: starts to write events in memory to disk, if there is a spool. */
  persist(): void;
  /**
   * Writes this producer's gaps and last numbers to disk, if there is a spool: a later process declares them. The outbox stays
   * open. Never rejects.
   */
  recordEnd(): Promise<void>;
  /** The same within this call, with the events in memory. The process ends right after it. */
  recordEndNow(): void;
  /**
   * Closes the outbox.
   *
   * @param endDeclared whether the service knows this producer's final sequence numbers
   * @returns the events that only memory contained; they are lost
   */
  close(endDeclared: boolean): Promise<readonly PendingEvent[]>;
  /** Events in memory and on disk. */
  readonly size: number;
  /** Events on disk. They survive the process. */
  readonly spooledEvents: number;
  /** Characters of these events. */
  readonly spooledBytes: number;
  /** Characters of events that may be on disk; 0 without a usable spool. */
  readonly spoolCapacityBytes: number;
  /** Whether there may be gaps or ends of an earlier process to declare. */
  readonly owesDeclarations: boolean;
  /** When the oldest event was emitted, in milliseconds since the epoch. */
  readonly oldest: number | undefined;
}
