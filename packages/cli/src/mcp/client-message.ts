/**
 * What a client sends. The client is the agent that is gated, so each message is read strictly: a text that two parsers could read
 * differently could be a tool call for the server and something harmless for the proxy.
 */
import {
  AuditValidationError,
  canonicalize,
  decodeUtf8,
  type Json,
  parseStrictJson,
} from '@tallystick/event';
import { afterSpace, itemSpans, memberSpan } from './json-spans.ts';

/** Id of a JSON-RPC request. `1` and `"1"` are two ids. */
export type RequestId = string | number;

/** A request to call a tool. */
export interface ToolCall {
  readonly id: RequestId;
  readonly name: string;
  readonly arguments: Json;
  readonly progressToken: RequestId | undefined;
  /** Whether the request states its protocol version, as from revision 2026-07-28. */
  readonly statesVersion: boolean;
  /** The request with these arguments. Every other byte is as the client wrote it. */
  withArguments(args: Json): string;
}

/** A message of a client. */
export type ClientMessage =
  /** A notification, or a response to a request of the server. */
  | { readonly kind: 'other' }
  /** A request that is not a tool call. */
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string }
  | { readonly kind: 'cancellation'; readonly id: RequestId }
  | { readonly kind: 'call'; readonly call: ToolCall }
  /** A JSON-RPC batch: the texts of its messages, and whether one is a request or a cancellation. */
  | { readonly kind: 'batch'; readonly texts: readonly string[]; readonly mustSplit: boolean }
  | {
      readonly kind: 'refused';
      readonly id: RequestId | null;
      readonly code: number;
      readonly message: string;
    };

/** Error codes of JSON-RPC 2.0, section 5.1. */
export const rpcErrors = Object.freeze({
  parseError: -32_700,
  invalidRequest: -32_600,
  invalidParams: -32_602,
  /** Of the range for implementations. The official SDKs use it for a connection that is closed. */
  connectionClosed: -32_000,
});

/** Ids of unanswered requests are in memory, and the outline of a long response must be able to read them. */
const maxIdLength = 256;
const envelope = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];

/** Reads one message, or one batch. Never throws. */
export function readClientMessage(bytes: Uint8Array): ClientMessage {
  let text: string;
  let value: unknown;
  try {
    text = decodeUtf8(bytes);
    value = parseStrictJson(text);
  } catch (error) {
    const code = error instanceof AuditValidationError ? error.code : undefined;
    return code === 'JSON_DUPLICATE_KEY'
      ? refused(null, rpcErrors.invalidRequest, 'the message repeats a member')
      : refused(null, rpcErrors.parseError, 'the message is not JSON in UTF-8');
  }
  // Some servers end a line at it, and would read the rest as another message.
  if (text.trimEnd().includes('\r'))
    return refused(null, rpcErrors.parseError, 'the message contains a carriage return');
  return Array.isArray(value) ? readBatch(text, value) : readMessage(text, value);
}

function readBatch(text: string, items: readonly unknown[]): ClientMessage {
  const spans = itemSpans(text, afterSpace(text, 0));
  const texts = spans.map(({ start, end }) => text.slice(start, end));
  const read = items.map((item, index) => readMessage(texts[index]!, item));
  const wrong = read.find(({ kind }) => kind === 'refused');
  if (wrong !== undefined) return wrong;
  // A cancellation may concern a call that is held, which the server does not know.
  return { kind: 'batch', texts, mustSplit: read.some(({ kind }) => kind !== 'other') };
}

function readMessage(text: string, value: unknown): ClientMessage {
  if (!isObject(value)) return refused(null, rpcErrors.invalidRequest, 'a message must be an object');
  const id = isId(value.id) ? value.id : null;
  if (value.method !== undefined && value.id !== undefined && id === null)
    return refused(
      null,
      rpcErrors.invalidRequest,
      `an id must be a text of up to ${maxIdLength} characters, or an integer within ±(2^53 − 1)`,
    );
  const lookalike = Object.keys(value).find((name) => isLookalike(name, envelope));
  if (lookalike !== undefined)
    return refused(
      id,
      rpcErrors.invalidRequest,
      'a member of the message differs from its name only in its letters',
    );
  const { method, params } = value;
  if (method !== undefined && typeof method !== 'string')
    return refused(id, rpcErrors.invalidRequest, 'method must be a text');
  if (typeof method === 'string' && isLookalikeCall(method))
    return refused(id, rpcErrors.invalidRequest, 'method differs from tools/call only in its letters');
  // A server may answer such a message with an error, which would be taken for the answer to the request with this id.
  if (method === undefined && !isResponse(value))
    return refused(
      null,
      rpcErrors.invalidRequest,
      'a message must be a request, a notification or a response',
    );
  if (method === undefined) return { kind: 'other' };
  if (method === 'tools/call') return readCall(text, id, params);
  if (id !== null) return { kind: 'request', id, method };
  if (method === 'notifications/cancelled' && isObject(params) && isId(params.requestId))
    return { kind: 'cancellation', id: params.requestId };
  return { kind: 'other' };
}

function readCall(text: string, id: RequestId | null, params: unknown): ClientMessage {
  if (id === null) return refused(null, rpcErrors.invalidRequest, 'a tool call must have an id');
  if (!isObject(params) || Object.keys(params).some((name) => isLookalike(name, ['name', 'arguments'])))
    return refused(id, rpcErrors.invalidParams, 'params must be an object with name and arguments');
  const { name, arguments: args = {}, _meta: meta } = params;
  if (typeof name !== 'string' || name === '' || name.length > 512)
    return refused(id, rpcErrors.invalidParams, 'params.name must be a text of 1 to 512 characters');
  if (hasLookalikeCharacters(name))
    return refused(
      id,
      rpcErrors.invalidParams,
      'params.name must not have invisible characters, space at an end, or variants of other characters',
    );
  if (!isObject(args)) return refused(id, rpcErrors.invalidParams, 'params.arguments must be an object');
  const { progressToken, 'io.modelcontextprotocol/protocolVersion': version } = isObject(meta) ? meta : {};
  const paramsAt = memberSpan(text, afterSpace(text, 0), 'params')!.start;
  const span = memberSpan(text, paramsAt, 'arguments');
  return {
    kind: 'call',
    call: {
      id,
      name,
      arguments: args as Json,
      progressToken: isId(progressToken) ? progressToken : undefined,
      statesVersion: typeof version === 'string',
      // Without arguments, {} was decided, and the server reads their absence as the same.
      withArguments: (decided) =>
        span === undefined
          ? text
          : `${text.slice(0, span.start)}${canonicalize(decided)}${text.slice(span.end)}`,
    },
  };
}

function isResponse(value: object): boolean {
  return 'error' in value ? !('result' in value) : 'result' in value && 'id' in value;
}

/**
 * Whether a name equals one of the names for a parser that ignores case, as that of Go does, or could give the object a member of
 * one of the names: in JavaScript, copying a member `__proto__` does.
 */
function isLookalike(name: string, names: readonly string[]): boolean {
  return (
    name === '__proto__' || (!names.includes(name) && names.includes(name.normalize('NFKC').toLowerCase()))
  );
}

/** Whether a lenient server, which ignores case, white space or what follows U+0000, could take a method for a tool call. */
function isLookalikeCall(method: string): boolean {
  const [text] = method.normalize('NFKC').toLowerCase().split('\0');
  return method !== 'tools/call' && text!.replace(/[\s\p{C}]/gu, '') === 'tools/call';
}

/**
 * Whether a lenient server could take a tool name for another one: it may trim names, normalize them, or end them at U+0000. A rule
 * for the other name would not match this one.
 */
function hasLookalikeCharacters(name: string): boolean {
  return name !== name.trim() || name !== name.normalize('NFKC') || /\p{C}/u.test(name);
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' ? value.length <= maxIdLength : Number.isSafeInteger(value);
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(id: RequestId | null, code: number, message: string): ClientMessage {
  return { kind: 'refused', id, code, message };
}
