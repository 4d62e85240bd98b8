import { exportUntilHeader } from '@tallystick/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServerError } from '../../../errors.ts';
import { parseServiceAddress } from '../../../input/service-address.ts';
import type { Endpoint } from '../endpoint.ts';

/** Most origins that may be allowed. */
const maxOrigins = 100;
/** How long a browser may remember the answer to a preflight, seconds. */
const maxAgeSeconds = 600;

/** Headers that scripts of an allowed origin may read, besides those that every script may read. */
const exposedHeaders = [
  'Allow',
  'Content-Disposition',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  exportUntilHeader,
];
/** Headers that every request may have. What a single route reads comes from its declaration. */
const requestHeaders = ['Authorization', 'Content-Type', 'Content-Encoding'];

/**
 * Lets scripts of other origins call the API with an API key or a token (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). It never
 * allows credentials of the browser, and it leaves out everything below `/console`: the cookie of the console works on its own origin alone.
 *
 * Why not `@fastify/cors` (MIT, kept well): it answers an origin that is not allowed with `Access-Control-Allow-Origin: false`, a malformed
 * preflight with plain text, and all paths alike.
 */
export function allowOrigins(
  app: FastifyInstance,
  given: readonly string[],
  endpoints: () => readonly Endpoint[],
): void {
  const origins = readOrigins(given);
  if (origins.size === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    if (!isOfApi(request.url)) return;
    reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !origins.has(origin)) return;
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposedHeaders.join(', '),
    });
    if (isPreflight(request)) return answerPreflight(reply, endpoints());
  });
}

function answerPreflight(reply: FastifyReply, endpoints: readonly Endpoint[]): FastifyReply {
  const declared = endpoints
    .filter(({ path }) => isOfApi(path))
    .flatMap(({ headers = {} }) => Object.keys(headers));
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': [...new Set([...requestHeaders, ...declared])].join(', '),
      'access-control-max-age': String(maxAgeSeconds),
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    })
    .send();
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** A path with another spelling is not recognised, and is then as closed as without any allowed origin. */
function isOfApi(url: string): boolean {
  return url.startsWith('/v1/') || url === '/openapi.json';
}

/**
 * Checks that each text is an origin as browsers write it.
 *
 * @throws {ServerError} `CONFIG_INVALID`
 */
function readOrigins(given: readonly string[]): ReadonlySet<string> {
  if (given.length > maxOrigins)
    throw new ServerError('CONFIG_INVALID', `at most ${maxOrigins} origins can be allowed`);
  for (const text of given) {
    // A `*` is a legal part of a host name, and no browser sends it.
    if (parseServiceAddress(text)?.origin === text && !text.includes('*')) continue;
    throw new ServerError(
      'CONFIG_INVALID',
      `${JSON.stringify(text)} is not an origin that can be allowed: write each one out, such as https://app.example.com, without a path; ` +
        'http:// is possible for this machine only, and * is not possible',
    );
  }
  return new Set(given);
}
