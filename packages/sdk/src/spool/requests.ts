/** The messages between the emitter's thread and the spool's thread. Requests are processed in order. */

import type { DeclaredGap, FinalSequence } from '@tallystick/protocol';
import type { RedactionOptions } from '../redaction/options.ts';

/** Events in one request to append. Copying 400 events to the other thread blocks the application for a millisecond. */
export const eventsPerMessage = 250;

/**
 * Events in one request to append when more than this wait. Every request costs an fsync, and blocking the application for two
 * milliseconds is better than dropping events. On a busy machine, 28,000 events/s are written this way, and 13,000 events/s
 * with 250 per request.
 */
export const eventsPerBacklogMessage = 1_000;

/**
 * Events in one response to a read. A read waits for the current append. With half as many events, the backlog of an outage
 * would shrink only as fast as new events arrive.
 */
export const eventsPerRead = 500;

/** Gaps in one response to a read. The service accepts no more with one batch. */
export const gapsPerRead = 1_000;

/** An event as it is stored in the file. */
export interface SpooledEvent {
  /** Place in the queue; ascending. The emitter's thread assigns it. */
  readonly row: number;
  readonly tenantId: string;
  readonly sequence: number;
  readonly id: string;
  readonly eventType: string;
  readonly createdAt: number;
  readonly bytes: number;
  readonly text: string;
}

export interface UnwrittenEvent extends SpooledEvent {
  /** Whether the text is already without secrets. If not, the spool's thread removes them. */
  readonly redacted: boolean;
}

/** How the spool's thread is started. */
export interface SpoolSetup {
  readonly directory: string;
  readonly shared: boolean;
  readonly redaction: RedactionOptions | false;
}

/** What the file contains when it is opened. */
export interface SpoolContents {
  /** The first free row. */
  readonly nextRow: number;
  readonly events: number;
  readonly bytes: number;
  /** When the oldest event was emitted; milliseconds since the epoch. */
  readonly oldest: number | undefined;
  /** Subdirectories of a shared directory whose events could not be taken over, and why. */
  readonly unreadable?: readonly string[];
}

/** The next events of one producer and, if the producer's process has ended, what it has to declare. */
export interface SpooledBatch {
  readonly producerId: string;
  readonly events: readonly SpooledEvent[];
  readonly gaps: readonly DeclaredGap[];
  /** Not empty if the file has no event of the producer left and the producer's end is known. */
  readonly final: readonly FinalSequence[];
}

/** An event that the service refused permanently. */
export interface StoredDeadLetter {
  /** Identifies the dead letter in this file; ascending in the order in which events were refused. */
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
      /** All gaps that the producer has not declared yet. They replace those in the file. */
      readonly gaps: readonly DeclaredGap[];
    }
  | {
      readonly op: 'read';
      /** Events of this producer are returned without gaps, since its gaps are in memory. */
      readonly ownProducerId: string;
      /** Only events after this row; 0: from the front of the queue. */
      readonly afterRow: number;
      /** The outcome of events up to this row is known. They may still be in the file if the disk was too full to delete them. */
      readonly settledRow: number;
      readonly maxEvents: number;
      readonly maxBytes: number;
    }
  | {
      /** The outcome of events is known: removes them. */
      readonly op: 'settle';
      readonly producerId: string;
      /** All events up to this row. */
      readonly throughRow: number;
      /** How many of the producer's gaps the service has. */
      readonly gapsDeclared: number;
      /** Gaps to add. */
      readonly lost: readonly DeclaredGap[];
      /** Events to keep as dead letters. */
      readonly refused: { readonly reason: string; readonly events: readonly SpooledEvent[] } | undefined;
    }
  /** The service knows the producer's end: removes its gaps and final numbers. */
  | { readonly op: 'forgetProducer'; readonly producerId: string }
  | {
      /** The producer's process ends: a later process declares the gaps and the end for it. */
      readonly op: 'recordEnd';
      readonly producerId: string;
      readonly gaps: readonly DeclaredGap[];
      readonly final: readonly FinalSequence[];
    }
  | { readonly op: 'listDeadLetters'; readonly after: number; readonly limit: number }
  | { readonly op: 'purgeDeadLetters'; readonly places: readonly number[] | 'all' }
  | { readonly op: 'close' };

export type RequestOf<Op extends Request['op']> = Extract<Request, { op: Op }>;

/** The result of each request. */
export interface Responses {
  open: SpoolContents;
  append: undefined;
  read: SpooledBatch | undefined;
  settle: undefined;
  forgetProducer: undefined;
  recordEnd: undefined;
  listDeadLetters: readonly StoredDeadLetter[];
  /** How many dead letters were deleted. */
  purgeDeadLetters: number;
  close: undefined;
}

export interface RequestMessage {
  readonly number: number;
  readonly request: Request;
  /** The spool's thread sets the first element when it has processed the request, for a thread that waits with `Atomics`. */
  readonly done?: Int32Array;
}

export type ResponseMessage =
  | { readonly number: number; readonly response: Responses[keyof Responses] }
  | { readonly number: number; readonly failure: { readonly code: string; readonly message: string } };
