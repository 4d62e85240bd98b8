/**
 * Since revision 2026-07-28 a request repeats parts of its body in headers ("Request Metadata"). The proxy writes these headers itself,
 * from the body that was decided, so a server that reads the headers can't do something else.
 */
import type { ParameterHeaders } from './parameter-headers.ts';
import { isWithoutSessions, type OutgoingMessage, statedRevision } from './revision.ts';

/** The headers that repeat parts of the message. @returns none for a message of an older revision */
export function metadataHeaders(
  message: OutgoingMessage,
  parameters: ParameterHeaders,
): { readonly [name: string]: string } {
  const revision = statedRevision(message);
  if (revision === undefined || !isWithoutSessions(revision)) return {};
  const { name, uri, arguments: args } = Object(message.params) as { readonly [name: string]: unknown };
  const subject = name ?? uri;
  return {
    'mcp-protocol-version': revision,
    ...(typeof message.method === 'string' && { 'mcp-method': encodeValue(message.method) }),
    ...(typeof subject === 'string' && { 'mcp-name': encodeValue(subject) }),
    ...(message.method === 'tools/call' && encodeAll(parameters.of(name, args))),
  };
}

function encodeAll(values: { readonly [name: string]: string }): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodeValue(value)]));
}

/** A value as a header repeats it: as it is where that is safe, otherwise in base64. */
function encodeValue(value: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
  if (isPlain && !(value.startsWith('=?base64?') && value.endsWith('?='))) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}
