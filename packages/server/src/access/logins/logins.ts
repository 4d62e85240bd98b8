import { AuditValidationError, decodeUtf8, parseStrictJson } from '@tallystick/event';
import { errors, type JWTHeaderParameters, jwtVerify } from 'jose';
import { ServerError } from '../../errors.ts';
import { exceededBound } from '../../input/json-bounds.ts';
import type { Principal } from '../principal.ts';
import { principalOfClaims } from './claims.ts';
import type { FetchLike } from './issuer-fetch.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { LoginOptions } from './login-options.ts';

/** Longest token, characters. Node refuses headers of more than 16 KiB in all. */
export const maxTokenLength = 8 * 1_024;

/** Bounds of a token's header and claims, against texts that are small and costly to parse. */
const partBounds = { maxDepth: 8, maxValues: 2_000 };

/** Media types of tokens that identify a caller (RFC 7519, RFC 9068). Other tokens of the same issuer, such as logout tokens, do not. */
const tokenTypes: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'];

/**
 * Logins of an OpenID provider: signed tokens (JWT) as bearer credentials. Nothing is stored: a token says who the caller is, what
 * the caller may do and until when, and the provider's public keys prove it.
 */
export class Logins {
  readonly #options: LoginOptions;
  readonly #keys: IssuerKeys;
  readonly #now: () => number;

  constructor(
    options: LoginOptions,
    {
      now = Date.now,
      fetch = globalThis.fetch,
    }: { readonly now?: () => number; readonly fetch?: FetchLike } = {},
  ) {
    this.#options = options;
    this.#now = now;
    const { issuer, jwksUri } = options;
    this.#keys = new IssuerKeys({ issuer, jwksUri, fetch, now });
  }

  /** Whether a credential has the form of a token, whatever it contains. An API key has no dot. */
  static isToken(credential: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential);
  }

  /**
   * Finds the caller that a token identifies. An attacker may have written the token.
   *
   * @throws {ServerError} `UNAUTHENTICATED`; `ISSUER_UNAVAILABLE` where the issuer's keys are needed and can't be read
   */
  async authenticate(token: string): Promise<Principal> {
    if (token.length > maxTokenLength) throw refuse(`it has more than ${maxTokenLength} characters`);
    const [head, body] = token.split('.');
    assertHeader(readPart(head!));
    // A repeated member has two meanings, and the provider and the service might choose different ones.
    readPart(body!);
    const { algorithms, issuer, audience, clockToleranceSeconds, maxLifetimeSeconds } = this.#options;
    const now = this.#now();
    const { payload } = await jwtVerify(
      token,
      // Only the header's `alg` and `kid` choose a key. Keys and addresses in the header (`jwk`, `jku`, `x5c`, `x5u`) are ignored.
      ({ alg, kid }) => this.#keys.keyOf({ alg, ...(kid !== undefined && { kid }) } as JWTHeaderParameters),
      {
        algorithms: [...algorithms],
        issuer,
        audience: [...audience],
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now),
      },
    ).catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? refuse(reasonOf(error), error) : error;
    });
    const { iat, exp } = payload as { readonly iat: number; readonly exp: number };
    // The tolerance is for clocks that are behind. It must not make the life of a token longer.
    if (exp * 1_000 <= now) throw refuse('it has expired');
    if (iat * 1_000 > now + clockToleranceSeconds * 1_000) throw refuse('it was issued in the future');
    if (exp - iat > maxLifetimeSeconds)
      throw refuse(`it is valid for longer than ${maxLifetimeSeconds} seconds`);
    if (Object.hasOwn(payload, 'events')) throw refuse('it is a security event and no login');
    return principalOfClaims(payload, this.#options, exp * 1_000);
  }
}

function assertHeader(header: { readonly [name: string]: unknown }): void {
  const { typ, kid } = header;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 512))
    throw refuse('kid must be a text of at most 512 characters');
  if (!tokenTypes.includes(typeof typ === 'string' ? typ.toLowerCase() : typ))
    throw refuse('typ must be JWT or at+jwt');
}

/** Reads the header or the claims strictly. `jose` parses them again, and takes the last of two members of one name. */
function readPart(part: string): { readonly [name: string]: unknown } {
  const bytes = Buffer.from(part, 'base64url');
  const exceeded = exceededBound(bytes, partBounds);
  if (exceeded !== undefined) throw refuse(`a part ${exceeded}`);
  let value: unknown;
  try {
    value = parseStrictJson(decodeUtf8(bytes));
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    throw refuse(`a part ${error.violations[0]!.message}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('a part is no object');
  return value as { readonly [name: string]: unknown };
}

/** In words that do not quote the token. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const known = ['iss', 'aud', 'sub', 'exp', 'iat', 'nbf'].find((name) => name === error.claim);
    return known === undefined
      ? 'a claim is not as expected'
      : `its claim ${known} is missing or not as expected`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'the issuer has no such key';
  return 'its signature or form is wrong';
}

function refuse(what: string, cause?: unknown): ServerError {
  return new ServerError('UNAUTHENTICATED', `the token is not valid: ${what}`, { cause });
}
