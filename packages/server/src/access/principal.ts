import type { Scope } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';

/** The authenticated caller. */
export interface Principal {
  /** `key:<id>`. The records that the caller submits contain it. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Tenants that the caller may access; every tenant where `undefined`. */
  readonly tenants: readonly string[] | undefined;
}

/** Whether the caller has a scope, directly or through `admin`. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
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
  if (!hasScope(principal, scope)) throw new ServerError('FORBIDDEN', `the key lacks the scope ${scope}`);
  if (tenantId !== undefined && !mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', 'the key is not for this tenant');
  }
}
