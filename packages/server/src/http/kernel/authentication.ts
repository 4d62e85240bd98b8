import type { FastifyRequest } from 'fastify';
import { authorize, hasScope, mayUseTenant, type Principal } from '../../access/principal.ts';
import type { AuditService } from '../../app.ts';
import { ServerError } from '../../errors.ts';
import type { AccessRule } from './endpoint.ts';

/**
 * Who is asking, and whether the route is theirs. Comes before anything of the body is read.
 *
 * @throws {ServerError} `UNAUTHENTICATED`, `FORBIDDEN`
 */
export async function authenticate(
  service: AuditService,
  request: FastifyRequest,
  access: AccessRule,
): Promise<Principal | undefined> {
  if (access === 'open') return undefined;
  const principal = await principalOf(service, request);
  if (access === 'operator') {
    authorize(principal, 'admin');
    // Keys and letters of all tenants: an administrator of some must not reach beyond them.
    if (principal.tenants !== undefined) {
      throw new ServerError('FORBIDDEN', 'only a key for every tenant may do this');
    }
  } else if (access !== 'key') {
    authorize(principal, access);
  }
  return principal;
}

/**
 * @throws {ServerError} `UNAUTHENTICATED`
 */
export async function principalOf(service: AuditService, request: FastifyRequest): Promise<Principal> {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '');
  if (match === null) throw new ServerError('UNAUTHENTICATED', 'a valid API key is needed');
  return await service.keys.authenticate(match[1]!);
}

/**
 * The tenant that a request is about: the one it names, or the only one of its key.
 *
 * @throws {ServerError} `PARAMETER_INVALID` where none is named and the key has several; `FORBIDDEN` for another's
 */
export function tenantOf(principal: Principal, named: string | undefined): string {
  const tenantId = named ?? (principal.tenants?.length === 1 ? principal.tenants[0] : undefined);
  if (tenantId === undefined) {
    throw new ServerError('PARAMETER_INVALID', 'tenant_id is needed: the key is for several tenants', {
      details: { parameter: 'tenant_id' },
    });
  }
  if (!mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', 'the key is not for this tenant');
  }
  return tenantId;
}

/** Whether sensitive records may be shown. */
export function seesSensitive(principal: Principal): boolean {
  return hasScope(principal, 'events:read-sensitive');
}
