import type { OperationOutcome } from '@tallystick/protocol';

/** Why a gate did not run an action. A code never changes its meaning. */
export const gateErrorCodes = [
  'CONFIG_INVALID',
  'ARGUMENTS_INVALID',
  'DENIED',
  'NOT_ACKNOWLEDGED',
  'DESK_UNAVAILABLE',
  'DESK_REFUSED',
  'APPROVAL_DENIED',
  'APPROVAL_TIMED_OUT',
  'APPROVAL_WITHDRAWN',
  'APPROVAL_EXPIRED',
  'ALREADY_RUN',
  'KEY_REUSED',
  'ABORTED',
  'EFFECT_TIMED_OUT',
] as const;

/** One of {@link gateErrorCodes}. */
export type GateErrorCode = (typeof gateErrorCodes)[number];

/** What a {@link GateError} contains besides its code and message. */
export interface GateErrorDetails {
  /** `audit_id` of the event `agent.action.intended`, if there is one. */
  readonly intentId?: string | undefined;
  readonly approvalId?: string | undefined;
  /** For `ALREADY_RUN`: how the first execution ended; absent while it runs, and if its process has died. */
  readonly outcome?: OperationOutcome | undefined;
  readonly cause?: unknown;
}

/**
 * The action was not run. The exception is `EFFECT_TIMED_OUT`: there the effect began, and whether it ended is unknown.
 *
 * The message contains no arguments, so that it can be shown to a model or logged.
 */
export class GateError extends Error {
  override readonly name = 'GateError';
  readonly code: GateErrorCode;
  readonly intentId: string | undefined;
  readonly approvalId: string | undefined;
  readonly outcome: OperationOutcome | undefined;

  constructor(code: GateErrorCode, message: string, details: GateErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.intentId = details.intentId;
    this.approvalId = details.approvalId;
    this.outcome = details.outcome;
  }
}
