import { tenantIdPattern } from '@tallystick/event';
import type { Scope } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import type { Principal } from '../principal.ts';
import type { ClaimPath, LoginOptions } from './login-options.ts';

type Claims = { readonly [name: string]: unknown };

/** Longest `sub` (OpenID Connect Core 1.0, section 2). */
const maxSubject = 255;

/**
 * The person or agent of a token, as text: the issuer, `#`, and the token's `sub`. An issuer contains no `#`, so two persons never
 * have one text, and the same `sub` of another issuer is another person.
 */
function loginSubject(issuer: string, sub: string): string {
  return `${issuer}#${sub}`;
}

/**
 * The caller of a token whose signature and times were checked. The issuer controls the claims; a user may control some of them.
 *
 * @throws {ServerError} `UNAUTHENTICATED` where a claim has another form than the options expect
 */
export function principalOfClaims(
  claims: Claims,
  options: Pick<LoginOptions, 'issuer' | 'tenants' | 'scopes' | 'groups'>,
  expiresAt: number,
): Principal {
  const { issuer, groups } = options;
  const { sub } = claims;
  if (typeof sub !== 'string' || sub.trim() === '' || sub.length > maxSubject || /\p{C}/u.test(sub))
    throw refuse(`sub must have 1 to ${maxSubject} characters, none of them a control character`);
  const subject = loginSubject(issuer, sub);
  return {
    id: `login:${subject}`,
    subject,
    scopes: scopesOf(claims, options),
    tenants: tenantsOf(claims, options),
    ...(groups !== undefined && { groups: textsAt(claims, groups.claim).map((name) => `group:${name}`) }),
    expiresAt,
  };
}

/** A value that the options do not list allows nothing, also one that is the name of a scope. */
function scopesOf(claims: Claims, { scopes: { claim, grant } }: Pick<LoginOptions, 'scopes'>): Scope[] {
  return [...new Set(textsAt(claims, claim).flatMap((value) => grant.get(value) ?? []))];
}

function tenantsOf(claims: Claims, { tenants }: Pick<LoginOptions, 'tenants'>): string[] | undefined {
  if ('every' in tenants) return undefined;
  if ('only' in tenants) return [...tenants.only];
  const named = textsAt(claims, tenants.claim);
  if (named.some((tenant) => !tenantIdPattern.test(tenant)))
    throw refuse('the claim of the tenants must list tenant ids');
  return [...new Set(named)];
}

/** The texts of a claim: a list, or a text with spaces, as in `scope` (RFC 8693). An absent claim has none. */
function textsAt(claims: Claims, path: ClaimPath): string[] {
  let value: unknown = claims;
  for (const name of typeof path === 'string' ? [path] : path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Claims)[name];
  }
  if (typeof value === 'string') return value.split(' ').filter((part) => part !== '');
  if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return value;
  throw refuse('a claim of scopes, tenants or groups is neither a text nor a list of texts');
}

function refuse(what: string): ServerError {
  return new ServerError('UNAUTHENTICATED', `the token is not valid: ${what}`);
}
