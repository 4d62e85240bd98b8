import { AuditValidationError, type EventErrorCode } from '../errors.ts';

/**
 * Strict JSON. Where RFC 8259 leaves the result to the parser, this parser refuses the text: an auditor's parser must read the
 * same value. Invalid UTF-8, a byte-order mark and duplicate members are errors.
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8, strictly.
 *
 * @throws {AuditValidationError} `UTF8_INVALID`
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw refuse('UTF8_INVALID', 'must be valid UTF-8', cause);
  }
}

/**
 * Parses JSON text. Duplicate members are refused at every depth.
 *
 * @throws {AuditValidationError} `JSON_INVALID` or `JSON_DUPLICATE_KEY`
 */
export function parseStrictJson(text: string): unknown {
  const value = parseJson(text);
  assertNoDuplicateMembers(value, text);
  return value;
}

/**
 * Parses JSON text. Of duplicate members it takes the last one, so the caller must call {@link assertNoDuplicateMembers}.
 *
 * @throws {AuditValidationError} `JSON_INVALID`
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse('JSON_INVALID', 'must be JSON (RFC 8259)', cause);
  }
}

/**
 * Compares the number of members in the text with that in the value, where only one of two duplicate members is left.
 *
 * @param value the result of parsing `text`
 * @throws {AuditValidationError} `JSON_DUPLICATE_KEY`
 */
export function assertNoDuplicateMembers(value: unknown, text: string): void {
  if (countMembers(value) !== countMembersInText(text)) {
    throw refuse('JSON_DUPLICATE_KEY', 'must not repeat a member of an object');
  }
}

function refuse(code: EventErrorCode, message: string, cause?: unknown): AuditValidationError {
  // The engine's message quotes the text, which may contain secrets. Only the name of the error is kept.
  const kept = cause instanceof Error ? { cause: cause.name } : undefined;
  return new AuditValidationError([{ code, pointer: '', message }], kept);
}

function countMembers(root: unknown): number {
  let members = 0;
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const children = Object.values(value);
    if (!Array.isArray(value)) members += children.length;
    for (const child of children) if (typeof child === 'object') open.push(child);
  }
  return members;
}

/** Counts colons outside strings. In valid JSON, each one follows a member's name. */
function countMembersInText(text: string): number {
  let members = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x3a) members++;
  }
  return members;
}
