import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { ConsoleSession } from '../../../access/sessions/console-sessions.ts';
import { ServerError } from '../../../errors.ts';

/** The header in which a request that changes something repeats the session's CSRF value. */
const csrfHeader = 'x-tallystick-csrf';

/**
 * The cookie's name. Over HTTPS it has a prefix with which browsers accept the cookie from this very host alone, and never over HTTP
 * (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
 *
 * @param label of the service
 */
function cookieName(request: FastifyRequest, label: string): string {
  return `${isHttps(request) ? '__Host-' : ''}tallystick-${label}`;
}

/**
 * Whether the browser speaks HTTPS, which a proxy in front of the service ends. Of several proxies, each may append what it was reached
 * with, so the first value is that of the browser. A client that sets the header itself only makes its own cookie stricter.
 */
function isHttps({ headers }: FastifyRequest): boolean {
  return /^https(?: *,|$)/i.test(String(headers['x-forwarded-proto'] ?? ''));
}

/** The secret of the session that the request's cookie names; `undefined` if it has no such cookie. */
export function sessionSecretOf(request: FastifyRequest, label: string): string | undefined {
  const pattern = new RegExp(`(?:^|; ?)${cookieName(request, label)}=([0-9a-f]{16}[\\w-]{43})(?=;|$)`);
  return pattern.exec(request.headers.cookie ?? '')?.[1];
}

/** The header that stores the cookie in the browser. Scripts can't read it, and no request that another site causes carries it. */
export function sessionCookie(
  request: FastifyRequest,
  label: string,
  { secret, expiresAt }: { readonly secret: string; readonly expiresAt: number },
): string {
  const expires = new Date(expiresAt).toUTCString();
  return `${cookieName(request, label)}=${secret}; Expires=${expires}${attributes(request)}`;
}

/** The header that removes the cookie from the browser. */
export function endedSessionCookie(request: FastifyRequest, label: string): string {
  return `${cookieName(request, label)}=; Max-Age=0${attributes(request)}`;
}

function attributes(request: FastifyRequest): string {
  return `; Path=/; HttpOnly; SameSite=Strict${isHttps(request) ? '; Secure' : ''}`;
}

/**
 * Checks that the console itself made a request that a cookie authenticates, and no other site: by what the browser says of the
 * request's origin, and for a request that may change something also by a value that only a page of this origin can read.
 *
 * @throws {ServerError} `FORBIDDEN`
 */
export function assertFromConsole(request: FastifyRequest, { csrf }: Pick<ConsoleSession, 'csrf'>): void {
  assertSameOrigin(request);
  if (request.method === 'GET') return;
  const given = Buffer.from(String(request.headers[csrfHeader] ?? ''));
  const expected = Buffer.from(csrf);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new ServerError('FORBIDDEN', `a request with a session's cookie needs the header ${csrfHeader}`);
}

/**
 * Checks that no page of another origin made the request. Browsers set both headers, and no page can change them.
 *
 * @throws {ServerError} `FORBIDDEN`
 */
export function assertSameOrigin({ method, headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  // `none`: the person typed the address or opened a bookmark.
  const isSameSite = site === undefined || site === 'same-origin' || (site === 'none' && method === 'GET');
  const isSameOrigin = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isSameSite && isSameOrigin) return;
  throw new ServerError(
    'FORBIDDEN',
    'a page of another origin made the request; a proxy in front of the service must pass on the header Host',
  );
}
