import type { FastifyRequest } from 'fastify';
import type { Credentials } from '../../../access/credentials.ts';
import { maxTokenLength } from '../../../access/logins/logins.ts';
import {
  authorize,
  credentialOf,
  hasScope,
  mayUseTenant,
  type Principal,
} from '../../../access/principal.ts';
import { ServerError } from '../../../errors.ts';
import type { ViewOptions } from '../../../trail/view.ts';
import type { Endpoint } from '../endpoint.ts';
import { assertFromConsole, sessionSecretOf } from './session-cookie.ts';

/**
 * Whether the caller may call a route.
 *
 * @throws {ServerError} `FORBIDDEN`
 */
export function assertAccess(
  principal: Principal,
  { access, viewers = false }: Pick<Endpoint, 'access' | 'viewers'>,
): void {
  if (principal.viewer !== undefined && !viewers)
    throw new ServerError('FORBIDDEN', 'a viewer token may not call this route');
  if (access === 'open') return;
  if (access === 'viewer') {
    if (principal.viewer === undefined)
      throw new ServerError(
        'FORBIDDEN',
        'this route needs a viewer token: it answers about the token of the call',
      );
  } else if (access === 'operator') {
    authorize(principal, 'admin');
    // These routes reach across all tenants, so an administrator of some tenants must not use them.
    if (principal.tenants !== undefined) {
      throw new ServerError('FORBIDDEN', 'this needs an API key or a login for every tenant');
    }
  } else if (access !== 'key') {
    authorize(principal, access);
  }
}

/**
 * The caller that the request's API key or token belongs to, or the session of its cookie. A request with the header `Authorization` is
 * judged by this header alone: a browser adds a cookie by itself, and a client that names a credential means this one.
 *
 * @throws {ServerError} `UNAUTHENTICATED`, `ISSUER_UNAVAILABLE`; `FORBIDDEN` where a cookie came from another site
 */
export async function principalOf(credentials: Credentials, request: FastifyRequest): Promise<Principal> {
  const { authorization } = request.headers;
  const secret = authorization === undefined ? sessionSecretOf(request, credentials.cookieLabel) : undefined;
  if (secret !== undefined) {
    const session = await credentials.session(secret);
    assertFromConsole(request, session);
    return session.principal;
  }
  const match = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '');
  if (match === null || match[1]!.length > maxTokenLength) {
    const message = 'this needs an API key, or the token of a login, in the header Authorization: Bearer';
    throw new ServerError('UNAUTHENTICATED', message);
  }
  return await credentials.authenticate(match[1]!);
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
    throw new ServerError(
      'PARAMETER_INVALID',
      `tenant_id is required: the ${credentialOf(principal)} is for several tenants`,
      {
        details: { parameter: 'tenant_id' },
      },
    );
  }
  if (!mayUseTenant(principal, tenantId)) {
    throw new ServerError('FORBIDDEN', `the ${credentialOf(principal)} is not for this tenant`);
  }
  return tenantId;
}

/**
 * What the caller may see of records. Every route that shows records to viewer tokens uses it: it adds the bounds of the token.
 *
 * @param withRecord adds the text that was hashed, if the caller may have it
 */
export function viewOf(principal: Principal, withRecord = false): ViewOptions {
  const { viewer } = principal;
  const sensitive = seesSensitive(principal);
  if (viewer === undefined) return { sensitive, withRecord };
  return {
    sensitive,
    withRecord: withRecord && viewer.includeRecords,
    within: viewer.within,
    withoutIngest: !viewer.includeIngest,
  };
}

/**
 * For answers with a proof: without the bytes of the records, a verifier would report a forgery.
 *
 * @throws {ServerError} `FORBIDDEN` for a viewer token that does not show the bytes
 */
export function requireBytes({ withRecord }: ViewOptions): void {
  if (withRecord === true) return;
  throw new ServerError(
    'FORBIDDEN',
    'this viewer token does not show the bytes of records, which a proof needs: make one with include_records',
  );
}

/** Whether the principal may read the content of sensitive records. */
export function seesSensitive(principal: Principal): boolean {
  return hasScope(principal, 'events:read-sensitive');
}
