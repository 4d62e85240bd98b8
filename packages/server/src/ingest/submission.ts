import type { Trust } from '@tallystick/log';
import type {
  AcceptedResult,
  ChainedResult,
  ItemError,
  Reason,
  ReceivedDelivery,
  RefusedResult,
} from '@tallystick/protocol';

/** Events as a client submits them, with their delivery metadata (spec/delivery.md). */
export interface Submission {
  /** The JSON text of each event, as received. */
  readonly events: readonly (string | Uint8Array)[];
  /** How the events arrived: `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly trust: Trust;
  readonly principal?: string | undefined;
  /** Tenants that the submitter may write for. Absent: every tenant. */
  readonly tenants?: readonly string[] | undefined;
  readonly delivery?: ReceivedDelivery | undefined;
}

/** Why the service refused an event, with every reason. */
export interface SubmissionError extends ItemError {
  readonly pointer: string;
  readonly violations: readonly Reason[];
}

/** The outcome of one event of a submission that is chained at once. */
export type SubmissionResult = ChainedResult | RefusedResult<SubmissionError>;

/** A queue in front of the chain. It makes submitted events durable; the service chains them later. */
export interface Gateway {
  /** Whether the queue holds as much as it may. The caller then refuses submissions. */
  readonly full: boolean;
  /** Resolves once every event is durable or refused: one result for each event. */
  accept(submission: Submission): Promise<(AcceptedResult | SubmissionResult)[]>;
}
