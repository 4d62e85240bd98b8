/** What the emitter's thread and the spool's thread say to each other. Requests are answered in order. */
import type { DeclaredGap, FinalSequence } from '../transport/transport.ts';

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

export interface Opened {
  readonly nextRow: number;
  readonly events: number;
  readonly bytes: number;
  readonly oldest: number | undefined;
}

/** Events of one producer from the head of the queue, and what it has to declare. */
export interface SpooledLoad {
  readonly producerId: string;
  readonly events: readonly SpooledEvent[];
  readonly gaps: readonly DeclaredGap[];
  /** Given where no event of the producer is left and its end is known. */
  readonly final: readonly FinalSequence[];
}

export type Request =
  | { readonly op: 'open' }
  | {
      readonly op: 'append';
      readonly producerId: string;
      readonly events: readonly SpooledEvent[];
      /** All that the producer has not declared yet; replaces what was there. */
      readonly gaps: readonly DeclaredGap[];
    }
  | {
      readonly op: 'read';
      /** Events of this producer come without gaps: its ledger is in memory. */
      readonly ownProducerId: string;
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
  | { readonly op: 'close' };

export interface Answers {
  open: Opened;
  append: undefined;
  read: SpooledLoad | undefined;
  settle: undefined;
  forget: undefined;
  end: undefined;
  close: undefined;
}

export interface Envelope {
  readonly number: number;
  readonly request: Request;
}

export type Reply =
  | { readonly number: number; readonly answer: Answers[keyof Answers] }
  | { readonly number: number; readonly failure: { readonly code: string; readonly message: string } };
