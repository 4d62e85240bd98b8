import type { FastifyRequest } from 'fastify';
import type { ApiKeys } from '../../access/api-keys.ts';
import { authorize, hasScope, mayUseTenant, type Principal } from '../../access/principal.ts';
import { ServerError } from '../../errors.ts';
import type { AccessRule } from './endpoint.ts';

/**
 * Checks the request's API key and whether it may call the route. It runs before the service reads any of the body.
 *
 * @returns the key's principal; `undefined` on a route that is open to all
 * @throws {ServerError} `UNAUTHENTICATED`, `FORBIDDEN`
 */
export async function authenticate(
  keys: ApiKeys,
  request: FastifyRequest,
  access: AccessRule,
): Promise<Principal | undefined> {
  if (access === 'open') return undefined;
  const principal = await principalOf(keys, request);
  if (access === 'operator') {
    authorize(principal, 'admin');
    // These routes reach across all tenants, so an administrator of some tenants must not use them.
    if (principal.tenants !== undefined) {
      throw new ServerError('FORBIDDEN', 'this needs an API key for every tenant');
    }
  } else if (access !== 'key') {
    authorize(principal, access);
  }
  return principal;
}

/**
 * The principal of the request's API key.
 *
 * @throws {ServerError} `UNAUTHENTICATED`
 */
export async function principalOf(keys: ApiKeys, request: FastifyRequest): Promise<Principal> {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '');
  if (match === null) {
    throw new ServerError('UNAUTHENTICATED', 'this needs an API key in the header Authorization: Bearer');
  }
  return await keys.authenticate(match[1]!);
}

/**
 * The tenant that a request is about: the one it names, or the only tenant of its key.
 *
 * @throws {ServerError} `PARAMETER_INVALID` if it names none and the key is not for exactly one tenant; `FORBIDDEN` if the key
 *   is not for the tenant
 */
export function tenantOf(principal: Principal, named: string | undefined): string {
  const tenantId = named ?? (principal.tenants?.length === 1 ? principal.tenants[0] : undefined);
  if (tenantId === undefined) {
    throw new ServerError('PARAMETER_INVALID', 'tenant_id is required: the key is for several tenants', {
      details: { parameter: 'tenant_id' },
    });
  }
  if (!mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', 'the key is not for this tenant');
  }
  return tenantId;
}

/** Whether the principal may read the content of sensitive records. */
export function seesSensitive(principal: Principal): boolean {
  return hasScope(principal, 'events:read-sensitive');
}
