/** Which requests come from a program on this machine, and not from a web page that a browser has opened. */
import type { IncomingHttpHeaders } from 'node:http';

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** The origins of web pages that may use the listener, and its port. */
export interface LocalAccess {
  readonly port: number;
  readonly allowedOrigins: ReadonlySet<string>;
}

/**
 * Why a request is refused; `undefined` if it is not.
 *
 * A page of any site can send requests to loopback addresses, and with DNS rebinding the browser takes the answers for those of the
 * page's own site. Such a request names the site in `Host`, or in `Origin`. A program that is not a browser sends no `Origin`.
 */
export function refusalOf(
  headers: IncomingHttpHeaders,
  { port, allowedOrigins }: LocalAccess,
): string | undefined {
  const host = headers.host ?? '';
  if (!loopbackNames.some((name) => host === `${name}:${port}` || (port === 80 && host === name)))
    return 'the Host header must name the address of this listener';
  const { origin, 'sec-fetch-site': site } = headers;
  const isOfPage = origin === undefined ? site !== undefined && site !== 'none' : !allowedOrigins.has(origin);
  return isOfPage
    ? 'requests of web pages are refused; --allow-origin names pages that may send them'
    : undefined;
}

/** The headers by which a browser lets an allowed page read the answer. */
export function headersForPage({ origin }: IncomingHttpHeaders): { readonly [name: string]: string } {
  return origin === undefined
    ? {}
    : {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
        vary: 'Origin',
      };
}

/** The headers of the answer to a browser that asks whether an allowed page may send a request. */
export function headersForPreflight(headers: IncomingHttpHeaders): { readonly [name: string]: string } {
  return {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
    'access-control-max-age': '600',
  };
}

/** `port`, `localhost:port`, `127.0.0.1:port` or `[::1]:port`. @returns `undefined` for anything else */
export function listenAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:(localhost|127\.0\.0\.1|\[::1\]):)?(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535) return undefined;
  return { host: match[1] === '[::1]' ? '::1' : '127.0.0.1', port: Number(match[2]) };
}
