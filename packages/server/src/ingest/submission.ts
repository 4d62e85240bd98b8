import type { Trust } from '@tallystick/log';
import type { Receipt } from '../chain/batch.ts';
import type { Refusal } from './admit/admit.ts';

/** Events as somebody hands them in, with what travels beside them (spec/delivery.md). */
export interface Submission {
  /** Each the JSON text of one event, as received. */
  readonly events: readonly (string | Uint8Array)[];
  /** `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly trust: Trust;
  readonly principal?: string | undefined;
  /** Tenants that the submitter may write for; every one where absent. */
  readonly tenants?: readonly string[] | undefined;
  readonly delivery?: DeliveryMetadata | undefined;
}

/** Beside the events, never in them: who produced them, and their numbers. */
export interface DeliveryMetadata {
  /** UUIDv7 of one process instance of the producer. */
  readonly producer_id: string;
  readonly service?: string | undefined;
  /** Number of each event: contiguous from 1 for each producer and tenant. */
  readonly sequences?: readonly number[] | undefined;
  /** Ranges that the producer had to give up. */
  readonly gaps?: readonly DeclaredGap[] | undefined;
  /** Said at close: the last number of each tenant. */
  readonly final?: readonly { readonly tenant_id: string; readonly final_seq: number }[] | undefined;
}

interface DeclaredGap {
  readonly tenant_id: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** What became of one event of a submission. */
export type SubmissionResult =
  | { readonly status: 'chained' | 'duplicate'; readonly receipt: Receipt }
  | { readonly status: 'conflict' | 'rejected'; readonly error: SubmissionError };

/** An event that is durable in a queue before the chain: it has no receipt yet. */
export interface AcceptedResult {
  readonly status: 'accepted';
  readonly audit_id: string;
}

/** Why an event was refused. */
export interface SubmissionError {
  readonly code: string;
  readonly message: string;
  /** RFC 6901 JSON pointer into the event. */
  readonly pointer: string;
  readonly violations: readonly Refusal[];
  /** Where the refused event is kept; absent where the submitter had no right to hand it in. */
  readonly dead_letter_id?: string;
}
