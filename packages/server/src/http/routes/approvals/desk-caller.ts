import { credentialOf, hasScope, type Principal } from '../../../access/principal.ts';
import { assertStillValid } from '../../../access/still-valid.ts';
import type { DeskCaller } from '../../../approvals/approval-changes.ts';
import { ServerError } from '../../../errors.ts';

/** Who acts: the person or service that a key or a login belongs to, and without one the key itself. */
export function subjectOf(principal: Principal): string {
  return principal.subject ?? principal.id;
}

/**
 * One person may have several keys. Without a subject, the desk could not tell that a requester and an approver are the same.
 *
 * @throws {ServerError} `FORBIDDEN`
 */
export function assertSubject(principal: Principal, verb: string): void {
  if (principal.subject !== undefined) return;
  throw new ServerError(
    'FORBIDDEN',
    `the API key is not bound to a subject, so it can not ${verb} approvals; create a key with a subject`,
  );
}

/** The caller as the desk knows it. */
export function callerOf(principal: Principal): DeskCaller {
  return {
    principal: principal.id,
    subject: subjectOf(principal),
    ...(principal.groups !== undefined && { groups: principal.groups }),
    assertValid: (session) => assertStillValid(session, principal),
  };
}

/**
 * Approvals show what agents do, so a key needs a scope that has to do with them, or may read events.
 *
 * @throws {ServerError} `FORBIDDEN`
 */
export function assertMayRead(principal: Principal): void {
  const any = ['approvals:request', 'approvals:decide', 'events:read'] as const;
  if (any.some((scope) => hasScope(principal, scope))) return;
  throw new ServerError(
    'FORBIDDEN',
    `the ${credentialOf(principal)} lacks the scopes ${any.join(', ')}: it needs one of them`,
  );
}
