import type { GateError } from '@tallystick/sdk/gate';
import type { ActionResult } from '../platform/investigation.ts';

/** How an action ended that the gate did not run; `undefined` if it is still to be done. */
export function resultOf({ code, outcome }: GateError): ActionResult | undefined {
  switch (code) {
    case 'NOT_ACKNOWLEDGED':
    case 'DESK_UNAVAILABLE':
    case 'ABORTED':
      return undefined;
    case 'APPROVAL_TIMED_OUT':
    case 'APPROVAL_EXPIRED':
      return 'timed_out';
    case 'ALREADY_RUN':
      // The process died between the action and its result. Without an outcome it is unknown whether the action was done.
      if (outcome === undefined) return 'unknown';
      return outcome.status === 'success' ? 'executed' : 'failed';
    case 'EFFECT_TIMED_OUT':
      return 'unknown';
    default:
      return 'denied';
  }
}
