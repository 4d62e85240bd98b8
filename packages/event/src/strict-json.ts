import { AuditValidationError, type EventErrorCode } from './errors.ts';

/**
 * Strict JSON: what RFC 8259 leaves to the reader is an error here, because an auditor's parser and ours must see
 * the same value. UTF-8 is decoded fatally and without a byte-order mark; a duplicate member is refused.
 */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
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
 * Parses JSON text and refuses duplicate members anywhere in it.
 *
 * @throws {AuditValidationError} `JSON_INVALID` or `JSON_DUPLICATE_KEY`
 */
export function parseStrictJson(text: string): unknown {
  const value = parseJson(text);
  assertNoDuplicateMembers(value, text);
  return value;
}

/**
 * Parses JSON text; of duplicate members the last one wins, so the caller must make sure that there were none.
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
 * @param value what `text` was parsed to
 * @throws {AuditValidationError} `JSON_DUPLICATE_KEY` where parsing lost a member
 */
export function assertNoDuplicateMembers(value: unknown, text: string): void {
  if (countMembers(value) !== countMembersInText(text)) {
    throw refuse('JSON_DUPLICATE_KEY', 'must not repeat a member of an object');
  }
}

function refuse(code: EventErrorCode, message: string, cause?: unknown): AuditValidationError {
  // The engine's message quotes the text, which may hold secrets, so only its name is kept.
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

/** Colons outside strings, in text that is known to be JSON: each one ends a member's name. */
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
