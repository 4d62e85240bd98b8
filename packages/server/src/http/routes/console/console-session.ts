import { scopes as allScopes } from '@tallystick/protocol';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Credentials } from '../../../access/credentials.ts';
import type { ConsoleLogin } from '../../../access/logins/console-login.ts';
import type { ConsoleSession } from '../../../access/sessions/console-sessions.ts';
import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import { RefusedSignIns } from '../../kernel/access/refused-sign-ins.ts';
import {
  assertFromConsole,
  assertSameOrigin,
  endedSessionCookie,
  sessionCookie,
  sessionSecretOf,
} from '../../kernel/access/session-cookie.ts';
import { type Answer, type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { addressOf, networkOf } from '../../kernel/limits/client-address.ts';
import { limited } from '../../kernel/limits/rate-limits.ts';
import { TokenBuckets } from '../../kernel/limits/token-buckets.ts';
import { version } from '../../kernel/version.ts';
import { time } from '../../openapi/component.ts';

const tag = 'Console';

const sessionState = z.object({
  session: z
    .object({
      name: z.string().optional().describe('Name of the API key'),
      subject: z
        .string()
        .optional()
        .describe('The person, if the key is bound to one or the person has a login'),
      scopes: z.array(z.enum(allScopes)),
      tenants: z.array(z.string()).optional().describe('Absent: every tenant'),
      csrf: z.string().describe('For the header `x-tallystick-csrf` of every request that is no GET'),
      expires_at: time,
    })
    .nullable(),
  log: z.string().describe('Name of the log'),
  version: z.string().describe('Version of the service'),
  sign_in: z
    .object({
      key: z.boolean(),
      login: z
        .object({ name: z.string(), href: z.string() })
        .optional()
        .describe('The provider of logins; `href` is relative to the console'),
    })
    .describe('The ways to sign in'),
});

const signIn = z.union([
  z.strictObject({ key: z.string().max(200).describe('An API key') }),
  z.strictObject({ link: z.string().max(200).describe('The secret of a link that a terminal has printed') }),
]);

/** Sign-ins with one key. Each is a row of the store and a record of the service, whatever little the key may do. */
const signInRate = { perSecond: 1, burst: 60 };

interface Parts {
  readonly service: AuditService;
  readonly credentials: Credentials;
  /** How people sign in with a login of the OpenID provider. */
  readonly login: ConsoleLogin | undefined;
  readonly now: () => number;
}

/** Routes with which a person signs in to the console and out of it. */
export function consoleSessionRoutes({ service, credentials, login, now }: Parts): Endpoint[] {
  const { sessions, signInLinks } = service;
  const failures = new RefusedSignIns(now);
  const signIns = new TokenBuckets(now);
  const stateOf = (session: ConsoleSession | undefined): Answer => ({
    status: 200,
    body: {
      session: session === undefined ? null : shown(session),
      log: service.signer.logName,
      version,
      sign_in: {
        key: true,
        ...(login !== undefined && { login: { name: login.options.name, href: 'login' } }),
      },
    },
  });
  const current = async (request: FastifyRequest): Promise<ConsoleSession | undefined> => {
    const secret = sessionSecretOf(request, credentials.cookieLabel);
    if (secret === undefined) return undefined;
    return await credentials.session(secret).catch((error: unknown) => {
      if (error instanceof ServerError && error.code === 'UNAUTHENTICATED') return undefined;
      throw error;
    });
  };
  return [
    endpoint({
      method: 'GET',
      path: '/console/session',
      operationId: 'getConsoleSession',
      tag,
      summary: 'See who is signed in to the console',
      description: 'Without a session, `session` is null.',
      access: 'open',
      responses: { 200: { description: 'The session of the cookie', schema: sessionState } },
      problems: ['FORBIDDEN', 'STORE_UNAVAILABLE'],
      async handle({ request }) {
        assertSameOrigin(request);
        return stateOf(await current(request));
      },
    }),
    endpoint({
      method: 'POST',
      path: '/console/session',
      operationId: 'signInToConsole',
      tag,
      summary: 'Sign in to the console',
      description:
        'The answer sets a cookie that scripts can not read. The session ends after twelve hours, after one hour without a request, at ' +
        'sign-out, and when its key is revoked or expires. Ten refused attempts of an address per minute are recorded, and one of all addresses per second; further ones of an address get 429. So does a ' +
        'key that signs in more than 60 times at once, and then more than once a second.',
      access: 'open',
      unlimited: true,
      headers: { 'x-tallystick-console': 'Must be `1`: no form of another site can send it' },
      body: { schema: signIn },
      responses: { 200: { description: 'The person is signed in', schema: sessionState } },
      problems: ['FORBIDDEN', 'UNAUTHENTICATED', 'RATE_LIMITED', 'STORE_UNAVAILABLE', 'STORE_FULL'],
      async handle({ request, body }) {
        assertSameOrigin(request);
        if (request.headers['x-tallystick-console'] !== '1')
          throw new ServerError('FORBIDDEN', 'a sign-in needs the header x-tallystick-console: 1');
        const method = 'key' in body ? 'key' : 'link';
        const address = addressOf(request);
        try {
          const principal =
            'key' in body ? await credentials.authenticateKey(body.key) : await signInLinks.use(body.link);
          const taken = signIns.take(principal.id, signInRate);
          if (!taken.allowed) throw limited(taken, 'this key signed in too often: wait a moment');
          const secret = await sessions.open(principal, { method, address });
          const session = await credentials.session(secret);
          const cookie = sessionCookie(request, credentials.cookieLabel, {
            secret,
            expiresAt: session.expiresAt,
          });
          return { ...stateOf(session), headers: { 'set-cookie': cookie } };
        } catch (error) {
          if (!(error instanceof ServerError) || error.code !== 'UNAUTHENTICATED') throw error;
          // A valid key always signs in: otherwise one client behind a proxy could keep all others out.
          const failure = failures.take(networkOf(request));
          if (!failure.allowed)
            throw limited(failure, 'too many attempts to sign in were refused: wait a moment');
          if (failure.isRecorded) await sessions.refuse(method, address);
          throw error;
        }
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/console/session',
      operationId: 'signOutOfConsole',
      tag,
      summary: 'Sign out of the console',
      description: 'The session ends on every replica, and its streams within a second.',
      access: 'open',
      unlimited: true,
      headers: { 'x-tallystick-csrf': 'The value `csrf` of the session' },
      responses: { 204: { description: 'The session has ended' } },
      problems: ['FORBIDDEN', 'STORE_UNAVAILABLE', 'STORE_FULL'],
      async handle({ request }) {
        assertSameOrigin(request);
        const session = await current(request);
        if (session !== undefined) {
          assertFromConsole(request, session);
          await sessions.end(session, addressOf(request));
        }
        return {
          status: 204,
          headers: { 'set-cookie': endedSessionCookie(request, credentials.cookieLabel) },
        };
      },
    }),
  ];
}

function shown({ principal, name, csrf, expiresAt }: ConsoleSession) {
  const { subject, scopes, tenants } = principal;
  return { name, subject, scopes, tenants, csrf, expires_at: new Date(expiresAt).toISOString() };
}
