/** Tells a refusal of the desk, the ledger or the service from a fault on the way to it. */
import type { GateErrorCode } from './errors.ts';

const refusalsOfEvents: ReadonlySet<unknown> = new Set([
  'EVENT_REFUSED',
  'REJECTED_BY_SERVICE',
  'CONFLICT',
  'BATCH_REFUSED',
]);

/** Whether the service or the SDK refused an event because of its content. */
export function isEventRefused(cause: unknown): boolean {
  return refusalsOfEvents.has(codeOf(cause));
}

/** An error with a code is the desk's answer. An error without one is a fault on the way to it. */
export function refusalOr(error: unknown, otherwise: GateErrorCode): GateErrorCode {
  return codeOf(error) === undefined ? otherwise : 'DESK_REFUSED';
}

/** The code of a refusal: of the problem that the service answered with, or of the error itself. */
export function codeOf(error: unknown): string | undefined {
  const { code, problem } = (error ?? {}) as {
    code?: unknown;
    problem?: { code?: unknown; status?: unknown };
  };
  if (problem !== undefined)
    return Number(problem.status) < 500 && typeof problem.code === 'string' ? problem.code : undefined;
  const isFault =
    typeof code !== 'string' || /^(?:E[A-Z]+$|UND_|UNREACHABLE|SERVICE_FAILED|RESPONSE_INVALID)/.test(code);
  return isFault ? undefined : code;
}
