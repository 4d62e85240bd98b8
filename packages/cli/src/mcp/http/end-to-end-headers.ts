import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Headers that belong to one connection: RFC 9110, section 7.6.1. */
const ofConnection = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** The headers of a message without those of its connection, and without those that the next sender writes itself. */
export function endToEndHeaders(
  headers: IncomingHttpHeaders,
  except: readonly string[],
): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...ofConnection, ...named, ...except]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
