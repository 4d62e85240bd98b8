import { tenantIdPattern } from '@tallystick/event';
import { type Scope, scopes } from '@tallystick/protocol';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import { parseIssuerUrl } from './issuer-fetch.ts';

/** Signature algorithms of tokens. All have a public key, so nobody who can check a token can make one. */
const loginAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** One of {@link loginAlgorithms}. */
export type LoginAlgorithm = (typeof loginAlgorithms)[number];

/** Where a claim is in a token: its name, or the names on the way to it, such as `['realm_access', 'roles']`. */
export type ClaimPath = string | readonly string[];

/** The service as a client of the provider, for the console. */
export interface ConsoleLoginOptions {
  readonly clientId: string;
  /** @defaultValue none: the client is public, and PKCE alone protects it */
  readonly clientSecret?: string | undefined;
  /** Where the provider sends people back to, exactly as it is registered there. It ends with `/console/login/callback`. */
  readonly redirectUri: string;
  /** What the sign-in page calls the provider. @defaultValue 'your organisation' */
  readonly name: string;
  /** The scopes that the provider is asked for. @defaultValue 'openid' */
  readonly scope: string;
  /** Longest time that a session lasts, seconds. @defaultValue 43200, twelve hours */
  readonly sessionSeconds: number;
}

/** Which logins the service accepts, and what they may do: the tokens of one OpenID provider. */
export interface LoginOptions {
  /** The provider's issuer, exactly as its tokens name it. */
  readonly issuer: string;
  /** A token must be for one of these. */
  readonly audience: readonly string[];
  /** @defaultValue `['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']` */
  readonly algorithms: readonly LoginAlgorithm[];
  /** Where the provider's keys are. @defaultValue what the provider's discovery document says */
  readonly jwksUri?: string | undefined;
  /** Tenants of a login: a claim that lists them, a fixed list, or every tenant. */
  readonly tenants:
    | { readonly claim: ClaimPath }
    | { readonly only: readonly string[] }
    | { readonly every: true };
  /** What each value of a claim allows. A value that is not listed here allows nothing. */
  readonly scopes: { readonly claim: ClaimPath; readonly grant: ReadonlyMap<string, readonly Scope[]> };
  /** The claim that lists the groups of a login. @defaultValue none */
  readonly groups?: { readonly claim: ClaimPath } | undefined;
  /** How people sign in to the console with a login. @defaultValue they don't: the console takes API keys */
  readonly console?: ConsoleLoginOptions | undefined;
  /** How far `nbf` and `iat` may be ahead of the service's clock, seconds. @defaultValue 10 */
  readonly clockToleranceSeconds: number;
  /** Longest time between `iat` and `exp`, seconds. @defaultValue 86400 */
  readonly maxLifetimeSeconds: number;
}

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !/\p{C}/u.test(value), { message: 'must have no control characters' });
const claim = z.union([text(256), z.array(text(256)).min(1).max(8)]);

const schema = z.strictObject({
  // Together with a subject of 255 characters it fits an identifier of an event.
  issuer: text(250),
  audience: z.union([text(512).transform((one) => [one]), z.array(text(512)).min(1).max(16)]),
  algorithms: z
    .array(z.enum(loginAlgorithms))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']),
  jwks_uri: text(2_048).optional(),
  tenants: z.union([
    z.strictObject({ claim }),
    z.strictObject({ only: z.array(z.string().regex(tenantIdPattern)).min(1) }),
    z.strictObject({ every: z.literal(true) }),
  ]),
  scopes: z.strictObject({
    claim,
    grant: z.record(text(512), z.array(z.enum(scopes)).min(1)),
  }),
  groups: z.strictObject({ claim }).optional(),
  console: z
    .strictObject({
      client_id: text(256),
      client_secret: text(512).optional(),
      redirect_uri: text(2_048),
      name: text(64).default('your organisation'),
      scope: text(512)
        .refine((value) => value.split(' ').includes('openid'), { message: 'must include openid' })
        .default('openid'),
      session_seconds: z
        .int()
        .min(300)
        .max(12 * 3_600)
        .default(12 * 3_600),
    })
    .optional(),
  clock_tolerance_seconds: z.int().min(0).max(300).default(10),
  max_lifetime_seconds: z
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(86_400),
});

/**
 * Reads the options from parsed JSON.
 *
 * @throws {ServerError} `CONFIG_INVALID` with the place of the first fault
 */
export function readLoginOptions(json: unknown): LoginOptions {
  const result = schema.safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new ServerError('CONFIG_INVALID', `the logins: ${path.join('.') || 'the value'}: ${message}`);
  }
  const {
    jwks_uri,
    scopes: rule,
    console: client,
    clock_tolerance_seconds,
    max_lifetime_seconds,
    ...rest
  } = result.data;
  const issuer = parseIssuerUrl(rest.issuer, 'issuer');
  // Otherwise two issuers and subjects could have one text.
  if (/[?#]/.test(rest.issuer) || issuer.username !== '' || issuer.password !== '')
    throw new ServerError('CONFIG_INVALID', 'the logins: issuer: must have no query, fragment or user name');
  if (jwks_uri !== undefined) parseIssuerUrl(jwks_uri, 'jwks_uri');
  return {
    ...rest,
    ...(jwks_uri !== undefined && { jwksUri: jwks_uri }),
    ...(client !== undefined && {
      console: {
        clientId: client.client_id,
        clientSecret: client.client_secret,
        redirectUri: readRedirectUri(client.redirect_uri),
        name: client.name,
        scope: client.scope,
        sessionSeconds: client.session_seconds,
      },
    }),
    scopes: { claim: rule.claim, grant: new Map(Object.entries(rule.grant)) },
    clockToleranceSeconds: clock_tolerance_seconds,
    maxLifetimeSeconds: max_lifetime_seconds,
  };
}

/** The end of the address to which the provider sends people back. */
const callbackPath = '/console/login/callback';

/** @throws {ServerError} `CONFIG_INVALID` */
function readRedirectUri(text: string): string {
  const { href, pathname } = parseIssuerUrl(text, 'console.redirect_uri');
  if (href === text && pathname.endsWith(callbackPath) && !/[?#@]/.test(text)) return text;
  throw new ServerError(
    'CONFIG_INVALID',
    `the logins: console.redirect_uri: must be the public address of the service, and end with ${callbackPath}`,
  );
}
