import type { Scope } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';

/** Who is asking, after authentication. */
export interface Principal {
  /** `key:<id>`; stands in the records that it submits. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Its tenants; `undefined` is every tenant. */
  readonly tenants: readonly string[] | undefined;
}

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

export function mayUseTenant(principal: Principal, tenantId: string): boolean {
  return principal.tenants === undefined || principal.tenants.includes(tenantId);
}

/**
 * @throws {ServerError} `FORBIDDEN`; the message does not tell whether the tenant exists
 */
export function authorize(principal: Principal, scope: Scope, tenantId?: string): void {
  if (!hasScope(principal, scope)) throw new ServerError('FORBIDDEN', `the key lacks the scope ${scope}`);
  if (tenantId !== undefined && !mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', 'the key is not for this tenant');
  }
}
