import type { Trust } from '@tallystick/log';
import type { ChainedResult, ItemError, Reason, ReceivedDelivery, RefusedResult } from '@tallystick/protocol';

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
  readonly delivery?: ReceivedDelivery | undefined;
}

/** Why the service refused an event, with every reason. */
export interface SubmissionError extends ItemError {
  readonly pointer: string;
  readonly violations: readonly Reason[];
}

/** What became of one event of a submission that went straight into the chain. */
export type SubmissionResult = ChainedResult | RefusedResult<SubmissionError>;
