import { AuditValidationError, decodeUtf8, parseStrictJson } from '@tallystick/event';

/**
 * Cuts the events out of a batch without parsing them, so that each is judged by the very bytes that were sent: a
 * duplicate key, a broken UTF-8 sequence or an integer that no double holds refuses that event and no other, and what
 * is kept of a refused event is what came in.
 *
 * An attacker controls every byte. The scan knows strings and brackets and nothing else; it does not recurse, and every
 * byte is looked at a bounded number of times. In UTF-8, bytes of multi-byte sequences are 0x80 and above, so none of
 * them can pass for a quote or a bracket, however broken the sequence.
 */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

export interface SplitBatch {
  /** The bytes of each element of `events`, without white space around them. */
  readonly events: readonly Buffer[];
  /** The body with its `events` emptied, strictly parsed. */
  readonly envelope: unknown;
}

/**
 * Splits a JSON object at its member `events`. Where that is no array, `events` is empty and the envelope shows what
 * there was instead.
 *
 * @param maxEvents once more were found, the rest is not kept: the caller sees one too many and refuses
 * @throws {AuditValidationError} `JSON_INVALID`, `UTF8_INVALID` or `JSON_DUPLICATE_KEY` where the envelope itself is
 *   malformed, or the end of an event can't be told
 */
export function splitEvents(body: Buffer, maxEvents: number): SplitBatch {
  const list = findEvents(body);
  if (list === undefined) return { events: [], envelope: parseStrictJson(decodeUtf8(body)) };
  const { events, end } = readElements(body, list + 1, maxEvents);
  const rest = Buffer.concat([body.subarray(0, list + 1), body.subarray(end)]);
  return { events, envelope: parseStrictJson(decodeUtf8(rest)) };
}

/** Splits newline-delimited JSON: one event a line, empty lines aside. */
export function splitLines(body: Buffer, maxEvents: number): Buffer[] {
  const events: Buffer[] = [];
  for (let at = 0; at < body.length && events.length <= maxEvents; ) {
    const newline = body.indexOf(0x0a, at);
    const end = newline < 0 ? body.length : newline;
    const line = trim(body, at, end);
    if (line.length > 0) events.push(line);
    at = end + 1;
  }
  return events;
}

/** Where the array of the member `events` opens, or `undefined`. */
function findEvents(body: Buffer): number | undefined {
  let at = skipSpace(body, 0);
  if (body[at] !== openBrace) return undefined;
  at = skipSpace(body, at + 1);
  while (body[at] === quote) {
    const nameEnd = endOfString(body, at);
    const afterName = skipSpace(body, nameEnd);
    if (body[afterName] !== colon) return undefined;
    const value = skipSpace(body, afterName + 1);
    if (body[value] === openBracket && isEvents(body.subarray(at, nameEnd))) return value;
    const valueEnd = skipSpace(body, endOfValue(body, value));
    if (body[valueEnd] !== comma) return undefined;
    at = skipSpace(body, valueEnd + 1);
  }
  return undefined;
}

/** A member's name may be written with escapes; a second `events` is found by the strict parser of the envelope. */
function isEvents(name: Buffer): boolean {
  if (name.length > 64) return false;
  try {
    return JSON.parse(name.toString('latin1')) === 'events';
  } catch {
    return false;
  }
}

function readElements(
  body: Buffer,
  start: number,
  maxEvents: number,
): { readonly events: Buffer[]; readonly end: number } {
  const events: Buffer[] = [];
  let at = skipSpace(body, start);
  if (body[at] === closeBracket) return { events, end: at };
  for (;;) {
    const end = endOfValue(body, at);
    const element = trim(body, at, end);
    if (element.length === 0) throw malformed('/events');
    if (events.length <= maxEvents) events.push(element);
    if (body[end] === closeBracket) return { events, end };
    if (body[end] !== comma) throw malformed('/events');
    at = skipSpace(body, end + 1);
  }
}

/**
 * The place of the comma or closing bracket that ends the value beginning at `at`. Brackets must match in kind: where
 * they don't, nobody can say which event a later bracket belongs to.
 */
function endOfValue(body: Buffer, at: number): number {
  const open: number[] = [];
  for (let index = at; index < body.length; ) {
    const byte = body[index]!;
    switch (byte) {
      case quote:
        index = endOfString(body, index);
        continue;
      case openBrace:
        open.push(closeBrace);
        break;
      case openBracket:
        open.push(closeBracket);
        break;
      case closeBrace:
      case closeBracket:
        if (open.length === 0) return index;
        if (open.pop() !== byte) throw malformed('');
        break;
      case comma:
        if (open.length === 0) return index;
        break;
    }
    index++;
  }
  throw malformed('');
}

/** One past the closing quote of the string that opens at `at`. */
function endOfString(body: Buffer, at: number): number {
  for (let index = at + 1; index < body.length; index++) {
    const byte = body[index]!;
    if (byte === quote) return index + 1;
    if (byte === backslash) index++;
  }
  throw malformed('');
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(body: Buffer, at: number): number {
  let index = at;
  while (isSpace(body[index])) index++;
  return index;
}

function trim(body: Buffer, start: number, end: number): Buffer {
  const from = Math.min(end, skipSpace(body, start));
  let to = end;
  while (to > from && isSpace(body[to - 1])) to--;
  return body.subarray(from, to);
}

function malformed(pointer: string): AuditValidationError {
  return new AuditValidationError([{ code: 'JSON_INVALID', pointer, message: 'must be JSON (RFC 8259)' }]);
}
