/**
 * Since revision 2026-07-28 a request repeats parts of its body in headers ("Request Metadata"). A server that reads the headers must
 * not do something else than what was decided about the body.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Error code of the specification for a header that differs from the body. */
export const headerMismatch = -32_020;

interface Message {
  readonly method?: unknown;
  readonly params?: {
    readonly name?: unknown;
    readonly uri?: unknown;
    readonly arguments?: unknown;
    readonly _meta?: { readonly [name: string]: unknown };
  };
}

/** The first header that says something else than the message, or that can't be read; `undefined` if all agree. */
export function mismatchedHeader(headers: IncomingHttpHeaders, message: unknown): string | undefined {
  const { method, params } = Object(message) as Message;
  const { name, uri, arguments: args, _meta } = Object(params) as NonNullable<Message['params']>;
  const version = (Object(_meta) as { readonly [name: string]: unknown })[
    'io.modelcontextprotocol/protocolVersion'
  ];
  const sent = (header: string) => headers[header] as string | undefined;
  if (sent('mcp-method') !== undefined && sent('mcp-method') !== method) return 'Mcp-Method';
  if (sent('mcp-name') !== undefined) {
    const decoded = decodeMirrored(sent('mcp-name')!);
    if (decoded === undefined || decoded !== (name ?? uri)) return 'Mcp-Name';
  }
  const statedVersion = sent('mcp-protocol-version');
  if (statedVersion !== undefined && typeof version === 'string' && statedVersion !== version)
    return 'MCP-Protocol-Version';
  const values = new Set(simpleValues(args));
  for (const [header, value] of Object.entries(headers)) {
    // Which argument it repeats is in the schema of the tool. It must at least be the value of one.
    if (header.startsWith('mcp-param-') && !isOneOf(values, decodeMirrored(String(value)))) return header;
  }
  return undefined;
}

function isOneOf(values: ReadonlySet<string>, decoded: string | undefined): boolean {
  if (decoded === undefined) return false;
  if (values.has(decoded)) return true;
  // Integers are compared by value: 42.0 is 42.
  return /^-?\d+\.0+$/.test(decoded) && values.has(String(Number(decoded)));
}

function* simpleValues(value: unknown): Generator<string> {
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) yield* simpleValues(member);
  else if (value !== null && value !== undefined) yield String(value);
}

/** The value of a header that may be written as `=?base64?…?=`; `undefined` if that is damaged. */
function decodeMirrored(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const base64 = value.slice('=?base64?'.length, -'?='.length);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A value as a header repeats it: as it is where that is safe, otherwise in base64. */
export function encodeMirrored(value: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
  if (isPlain && !(value.startsWith('=?base64?') && value.endsWith('?='))) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}
