import type { AuditError } from '../errors.ts';
import type { FinalSequence, GapReason, ItemResult } from '../transport/transport.ts';
import type { Ledger } from './ledger.ts';

/** Somebody awaits what becomes of an event. */
export interface Waiter {
  settle(result: ItemResult): void;
  fail(error: AuditError): void;
}

/** An event between `emit()` and its receipt. */
export interface Entry {
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  readonly createdAt: number;
  text: string;
  /**
   * Characters of the text as it was emitted: its bytes where it is ASCII, and a third of them at worst. Counting the
   * bytes of every event costs a microsecond.
   */
  readonly bytes: number;
  /** Its number within (producer, tenant); 0 until it is accepted. */
  sequence: number;
  waiter: Waiter | undefined;
  /** Whether it was ever handed to the transport: if so, what became of it may be unknown. */
  sent: boolean;
  /** Whether the text is what may leave the process: without secrets. */
  prepared: boolean;
  /** Its place in a spooled queue, counted from this process's first; unused elsewhere. */
  row: number;
}

/** What one batch carries: events of one producer, from the head of the queue. */
export interface Load {
  readonly ledger: Pick<Ledger, 'producerId' | 'gaps' | 'declared' | 'lose'>;
  readonly entries: readonly Entry[];
  /** Ends of a producer that is no more. */
  readonly final?: readonly FinalSequence[];
}

/**
 * Events on their way out, first in, first out.
 *
 * - `next` MUST return events from the head and leave them there; `remove` takes them away once they are settled.
 * - An implementation MUST NOT let an event overtake another, wherever it keeps them.
 */
export interface Outbox {
  /** Resolves, with the number of events that a process before this one left, once it works. Never rejects. */
  readonly opened: Promise<number>;
  /** Called when events have become durable. */
  onChange: () => void;
  /** Takes an event, or says why there is no room; then nothing was kept. */
  push(entry: Entry): GapReason | undefined;
  next(maxEvents: number, maxBytes: number): Load | undefined | Promise<Load | undefined>;
  /** @param buried why these will never be delivered */
  remove(load: Load, buried?: string): void;
  /** Delivery fails: makes durable what can be. */
  secure(): void;
  /**
   * Ends it. Resolves with the events that only memory held, and that are lost now.
   *
   * @param ended whether the service knows how many events there were
   */
  close(ended: boolean): Promise<readonly Entry[]>;
  /** Events that are here, wherever they are kept. */
  readonly size: number;
  /** Events of these that survive the process. */
  readonly durable: number;
  /** Characters of these. */
  readonly durableBytes: number;
  /** Characters that may be on disk at most; 0 where there is no disk. */
  readonly diskLimit: number;
  /** Whether there is something to declare without events. */
  readonly owes: boolean;
  /** When the oldest was emitted, ms since the epoch. */
  readonly oldest: number | undefined;
}
