import type { Trust } from '@tallystick/log';
import type { ChainedResult, ItemError, Reason, ReceivedDelivery, RefusedResult } from '@tallystick/protocol';

/** Events as a client submits them, with their delivery metadata (spec/delivery.md). */
export interface Submission {
  /** The JSON text of each event, as received. */
  readonly events: readonly (string | Uint8Array)[];
  /** How the events arrived: `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly trust: Trust;
  readonly principal?: string | undefined;
  /** Tenants that the submitter may write for; every tenant where absent. */
  readonly tenants?: readonly string[] | undefined;
  readonly delivery?: ReceivedDelivery | undefined;
}

/** Why the service refused an event, with every reason. */
export interface SubmissionError extends ItemError {
  readonly pointer: string;
  readonly violations: readonly Reason[];
}

/** The outcome of one event of a submission. */
export type SubmissionResult = ChainedResult | RefusedResult<SubmissionError>;
