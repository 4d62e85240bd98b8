import * as z from 'zod';
import type { Credentials } from '../../../access/credentials.ts';
import type { ConsoleLogin } from '../../../access/logins/console-login.ts';
import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import { LoginCookie } from '../../kernel/access/login-cookie.ts';
import { RefusedSignIns } from '../../kernel/access/refused-sign-ins.ts';
import { sessionCookie } from '../../kernel/access/session-cookie.ts';
import { type Answer, type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { addressOf, networkOf } from '../../kernel/limits/client-address.ts';
import { TokenBuckets } from '../../kernel/limits/token-buckets.ts';
import { HttpProblem } from '../../kernel/problems.ts';

/** Longest query of the provider's answer, characters. */
const maxQuery = 8 * 1_024;
/** Answers of one address that are taken to the provider. */
const exchangeRate = { perSecond: 1, burst: 60 };

interface Parts {
  readonly service: AuditService;
  readonly credentials: Credentials;
  readonly login: ConsoleLogin | undefined;
  readonly now: () => number;
}

/** Routes with which a person signs in to the console with a login of the OpenID provider. A browser opens them, and no script. */
export function consoleLoginRoutes({ service, credentials, login, now }: Parts): Endpoint[] {
  const { sessions } = service;
  const cookie = new LoginCookie(
    credentials.cookieLabel,
    login?.options.redirectUri.startsWith('https:') ?? true,
  );
  const exchanges = new TokenBuckets(now);
  const refusals = new RefusedSignIns(now);
  const configured = () => {
    if (login !== undefined) return login;
    throw new HttpProblem(
      'ROUTE_NOT_FOUND',
      'this service has no sign-in with a login: sign in with an API key',
    );
  };
  const parts = { method: 'GET', tag: 'Console', access: 'open', undocumented: true } as const;
  return [
    endpoint({
      ...parts,
      path: '/console/login',
      operationId: 'beginConsoleLogin',
      summary: 'Go to the provider of logins',
      query: z.strictObject({ page: z.string().max(2_000).optional() }),
      responses: {
        303: { description: 'To the provider, or back to the console if the provider can not be reached' },
      },
      async handle({ query }) {
        try {
          const { location, attempt, until } = await configured().start(query.page);
          return {
            ...to(location),
            headers: { ...pageHeaders, location, 'set-cookie': cookie.set(attempt, until) },
          };
        } catch (error) {
          return to(`./#login=${failureOf(error)}`);
        }
      },
    }),
    endpoint({
      ...parts,
      path: '/console/login/callback',
      operationId: 'endConsoleLogin',
      summary: 'Come back from the provider of logins',
      responses: { 303: { description: 'To the page of the console from which the person came' } },
      async handle({ request, reply }) {
        const started = configured();
        // The browser can use an attempt once, also if it fails.
        reply.header('set-cookie', cookie.remove());
        const network = networkOf(request);
        try {
          const { principal, page, until } = await finish(started);
          const secret = await sessions.open(principal, {
            method: 'login',
            address: addressOf(request),
            until,
          });
          const { expiresAt } = await credentials.session(secret);
          const stored = sessionCookie(request, credentials.cookieLabel, { secret, expiresAt });
          return to(`../${page}`, { 'set-cookie': stored });
        } catch (error) {
          const failure = failureOf(error);
          if (failure !== 'away' && refusals.take(network).isRecorded)
            await sessions.refuse('login', addressOf(request));
          return to(`../#login=${failure}`);
        }

        async function finish(by: ConsoleLogin) {
          // A query may contain question marks.
          const [, query = ''] = /\?(.*)$/s.exec(request.raw.url!) ?? [];
          if (query.length > maxQuery)
            throw new ServerError('UNAUTHENTICATED', 'the answer of the provider is too long');
          if (!exchanges.take(network, exchangeRate).allowed)
            throw new ServerError('ISSUER_UNAVAILABLE', 'too many logins come from this address');
          const done = await by.finish(cookie.read(request), query);
          await credentials.assertAllowed(done.principal);
          return done;
        }
      },
    }),
  ];
}

/** The address of an answer contains its code, which no other page may learn. */
const pageHeaders = { 'referrer-policy': 'no-referrer' };

/** Relative addresses also work behind a proxy that serves the service below a path. */
function to(location: string, headers: { readonly [name: string]: string } = {}): Answer {
  return { status: 303, headers: { ...pageHeaders, location, ...headers } };
}

/** The reason that the sign-in page shows. Other errors are thrown again. */
function failureOf(error: unknown): 'away' | 'rights' | 'refused' {
  if (!(error instanceof ServerError)) throw error;
  if (error.code === 'ISSUER_UNAVAILABLE') return 'away';
  if (error.code === 'FORBIDDEN') return 'rights';
  if (error.code === 'UNAUTHENTICATED') return 'refused';
  throw error;
}
