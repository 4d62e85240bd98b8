import { decodeUtf8 } from '@tallystick/event';

/** A JSON object that another system wrote. */
export interface SourceObject {
  readonly [member: string]: unknown;
}

/** A source event and its text. */
export interface SourceText {
  /**
   * The text, decoded from UTF-8, without the white space between its tokens: the same record is the same text, however it was
   * formatted. Every digit, escape and member stays as it was written.
   */
  readonly original: string;
  readonly value: SourceObject;
  /** Whether a number became a string because a double can't represent it. */
  readonly hadInexactNumbers: boolean;
}

/** Thrown for a source event that can't be mapped to an event. */
export class MappingError extends Error {
  override readonly name = 'MappingError';
  readonly code:
    | 'SOURCE_MALFORMED'
    | 'SOURCE_UNSUPPORTED'
    | 'FIELD_REQUIRED'
    | 'TENANT_ID_INVALID'
    | 'TIMESTAMP_INVALID';

  constructor(code: MappingError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads one source event. Numbers that a double can't represent (9007199254740993, 1e999) become strings with the same
 * digits. If a member is repeated, the last value counts, as for most systems that write such logs. The original text keeps
 * everything.
 *
 * @throws {MappingError} `SOURCE_MALFORMED`
 * @throws {AuditValidationError} `UTF8_INVALID`
 */
export function readSource(bytes: Uint8Array): SourceText {
  const written = decodeUtf8(bytes);
  let value = parse(written);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MappingError('SOURCE_MALFORMED', 'not a JSON object');
  }
  const hadInexactNumbers = holdsInexactNumber(value);
  if (hadInexactNumbers) value = parse(written, keepInexact);
  return { original: withoutWhiteSpace(written), value: value as SourceObject, hadInexactNumbers };
}

/** JSON text without the white space between its tokens. Linear in its length. */
function withoutWhiteSpace(json: string): string {
  const parts: string[] = [];
  for (let at = 0; at < json.length; ) {
    const begin = json.indexOf('"', at);
    parts.push(json.slice(at, begin < 0 ? undefined : begin).replace(/[ \t\r\n]+/g, ''));
    if (begin < 0) break;
    let end = json.indexOf('"', begin + 1);
    while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
    parts.push(json.slice(begin, end + 1));
    at = end + 1;
  }
  return parts.join('');
}

/** Whether an odd number of backslashes is before this place. */
function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === 0x5c) first--;
  return (at - first) % 2 === 1;
}

type Reviver = (
  this: unknown,
  key: string,
  value: unknown,
  context?: { readonly source?: string },
) => unknown;

function parse(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
  } catch (cause) {
    // A reviver is called recursively, so a deep text overflows the stack. The engine's message may quote secrets.
    const reason = cause instanceof RangeError ? 'nested too deeply' : 'not JSON';
    throw new MappingError('SOURCE_MALFORMED', reason);
  }
}

function isInexact(value: unknown): boolean {
  return typeof value === 'number' && (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER);
}

const keepInexact: Reviver = (_key, value, context) =>
  isInexact(value) ? (context?.source ?? String(value)) : value;

/** Without recursion, because the text may be 100,000 brackets deep. */
function holdsInexactNumber(root: unknown): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (isInexact(value)) return true;
    if (typeof value === 'object' && value !== null) {
      for (const child of Object.values(value)) {
        if (typeof child === 'object' || typeof child === 'number') open.push(child);
      }
    }
  }
  return false;
}

/** The value, if it is a string that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value as an identity: a string that is not empty, or a number, because many systems number their users. */
export function identity(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : text(value);
}

/** The value, if it is an object; otherwise an empty object, so that a path of members needs no checks. */
export function object(value: unknown): SourceObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as SourceObject) : {};
}

/** The value, if it is an array; otherwise an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
