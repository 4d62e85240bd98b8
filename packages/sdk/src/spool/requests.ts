/** What the emitter's thread and the spool's thread say to each other. Requests are answered in order. */
import type { RedactionOptions } from '../redaction/options.ts';
import type { DeclaredGap, FinalSequence } from '../transport/transport.ts';

/** Events that go from one thread to the other at once: copying them holds up the application, a millisecond for 400. */
export const eventsPerMessage = 250;

/**
 * The same where more than this wait: each transaction costs an fsync, and two milliseconds of the application's time are
 * less than events that find no room. 28,000 events/s go to disk so, and 13,000 by 250, on a busy machine.
 */
export const eventsPerBacklogMessage = 1_000;

/**
 * Events that come back at once. Each request waits for the write that is under way, so half as many of them would take an
 * outage's events away only as fast as new ones come.
 */
export const eventsPerRead = 500;

/** Gaps that come with one reading, at most; the service takes no more with one batch. */
export const gapsPerRead = 1_000;

export interface SpooledEvent {
  /** Place in the queue; ascending, given out by the emitter's thread. */
  readonly row: number;
  readonly tenantId: string;
  readonly sequence: number;
  readonly id: string;
  readonly eventType: string;
  readonly createdAt: number;
  readonly bytes: number;
  readonly text: string;
}

/** What the spool's thread is made with. */
export interface SpoolSetup {
  readonly directory: string;
  readonly shared: boolean;
  /** What is taken out of events before they are written. */
  readonly redaction: RedactionOptions | false;
}

export interface UnwrittenEvent extends SpooledEvent {
  /** Whether the text is without secrets already. */
  readonly prepared: boolean;
}

export interface Opened {
  readonly nextRow: number;
  readonly events: number;
  readonly bytes: number;
  readonly oldest: number | undefined;
  /** Other places of a shared directory whose events could not be taken over, and why. */
  readonly unreadable?: readonly string[];
}

/** Events of one producer from one place of the queue on, and, from the head, what it has to declare. */
export interface SpooledLoad {
  readonly producerId: string;
  readonly events: readonly SpooledEvent[];
  readonly gaps: readonly DeclaredGap[];
  /** Given where no event of the producer is left and its end is known. */
  readonly final: readonly FinalSequence[];
}

/** An event that the service will never take. */
export interface BuriedEvent {
  /** Names the letter; ascending in the order in which they were buried. */
  readonly place: number;
  readonly tenantId: string;
  readonly id: string;
  readonly eventType: string;
  readonly createdAt: number;
  readonly reason: string;
  readonly text: string;
}

export type Request =
  | { readonly op: 'open' }
  | {
      readonly op: 'append';
      readonly producerId: string;
      readonly events: readonly UnwrittenEvent[];
      /** All that the producer has not declared yet; replaces what was there. */
      readonly gaps: readonly DeclaredGap[];
    }
  | {
      readonly op: 'read';
      /** Events of this producer come without gaps: its ledger is in memory. */
      readonly ownProducerId: string;
      /** Only what stands behind this place; 0: from the head. */
      readonly after: number;
      /** Up to this place all is done with, even if a full disk could not take it off. */
      readonly settled: number;
      readonly maxEvents: number;
      readonly maxBytes: number;
    }
  | {
      readonly op: 'settle';
      readonly producerId: string;
      /** Everything up to this place is done with. */
      readonly upTo: number;
      readonly gapsDeclared: number;
      readonly lost: readonly DeclaredGap[];
      /** Kept for a human to look at, with the reason; not sent again. */
      readonly buried: { readonly reason: string; readonly events: readonly SpooledEvent[] } | undefined;
    }
  | { readonly op: 'forget'; readonly producerId: string }
  | {
      readonly op: 'end';
      readonly producerId: string;
      readonly gaps: readonly DeclaredGap[];
      readonly final: readonly FinalSequence[];
    }
  | { readonly op: 'letters'; readonly after: number; readonly limit: number }
  | { readonly op: 'purge'; readonly places: readonly number[] | 'all' }
  | { readonly op: 'close' };

export interface Answers {
  open: Opened;
  append: undefined;
  read: SpooledLoad | undefined;
  settle: undefined;
  forget: undefined;
  end: undefined;
  letters: readonly BuriedEvent[];
  /** How many there were. */
  purge: number;
  close: undefined;
}

export interface Envelope {
  readonly number: number;
  readonly request: Request;
}

export type Reply =
  | { readonly number: number; readonly answer: Answers[keyof Answers] }
  | { readonly number: number; readonly failure: { readonly code: string; readonly message: string } };
