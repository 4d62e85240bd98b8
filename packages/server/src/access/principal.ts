import type { EventFilters } from '@tallystick/event';
import type { Scope } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';

/** The authenticated caller. */
export interface Principal {
  /** `key:<id>`, `login:<subject>` or `viewer:<id>`. The records that the caller submits contain it. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Tenants that the caller may access; every tenant where `undefined`. */
  readonly tenants: readonly string[] | undefined;
  /** The person or agent behind the key or the login. Absent: the key is not bound to one. */
  readonly subject?: string | undefined;
  /** Groups of the subject, by its login, each with `group:` before its name. No key has such a subject. */
  readonly groups?: readonly string[] | undefined;
  /** The session of the console that the caller's cookie belongs to. Absent: the request carried a key or a token. */
  readonly session?: string | undefined;
  /** What the caller's viewer token binds it to. Absent: the caller has no such token. */
  readonly viewer?: ViewerBounds | undefined;
  /** When the login, the session or the viewer token expires, ms since the epoch. Absent for API keys: the store knows when they do. */
  readonly expiresAt?: number | undefined;
}

/** What binds the holder of a viewer token. No parameter of a request can widen it. */
interface ViewerBounds {
  /** Id of the token. */
  readonly token: string;
  /** The API key that made it: `key:<id>`. */
  readonly issuer: string;
  /** Filters that every record must match that the token shows. */
  readonly within: EventFilters;
  /** Whether the token reads the bytes of records. */
  readonly includeRecords: boolean;
  /** Whether it sees how and by whom events were submitted. */
  readonly includeIngest: boolean;
}

/** What the caller used, for messages. */
export function credentialOf({ id, viewer }: Principal): 'login' | 'key' | 'viewer token' {
  if (viewer !== undefined) return 'viewer token';
  return id.startsWith('login:') ? 'login' : 'key';
}

/**
 * The name under which the service counts what a caller holds at the same time: streams, long requests and answers that it has not read. All
 * viewer tokens of one key count together, apart from the key itself: a page gives each visitor one, so a visitor has as many as it likes.
 */
export function holderOf({ id, viewer }: Principal): string {
  return viewer === undefined ? id : `viewers of ${viewer.issuer}`;
}

/** Whether the caller has a scope, directly or through `admin`. `admin` does not include the right to decide approvals. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  if (principal.scopes.includes(scope)) return true;
  return scope !== 'approvals:decide' && principal.scopes.includes('admin');
}

export function mayUseTenant(principal: Principal, tenantId: string): boolean {
  return principal.tenants === undefined || principal.tenants.includes(tenantId);
}

/**
 * Checks the caller's scope, and its access to a tenant.
 *
 * @throws {ServerError} `FORBIDDEN`. The message does not reveal whether the tenant exists
 */
export function authorize(principal: Principal, scope: Scope, tenantId?: string): void {
  if (!hasScope(principal, scope))
    throw new ServerError('FORBIDDEN', `the ${credentialOf(principal)} lacks the scope ${scope}`);
  if (tenantId !== undefined && !mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', `the ${credentialOf(principal)} is not for this tenant`);
  }
}
