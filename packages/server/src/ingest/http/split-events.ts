import { AuditValidationError, decodeUtf8, parseStrictJson } from '@tallystick/event';
import { exceededBound } from '../../input/json-bounds.ts';
import { deliveryBounds } from '../admit/delivery.ts';
import { OpenBrackets } from './open-brackets.ts';

/**
 * Cuts the events out of a batch without parsing them, so the service judges each event by exactly the bytes that were sent. A
 * duplicate key, a broken UTF-8 sequence or an integer that no double can hold makes it refuse that event and no other. A
 * refused event is kept exactly as it was received.
 *
 * An attacker controls every byte. The scan knows only strings and brackets. It does not recurse, and it reads every byte a
 * bounded number of times. In UTF-8, all bytes of multi-byte sequences are 0x80 or above, also in broken sequences: the scan
 * can't mistake one for a quote or a bracket.
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
  /** The bytes of each element of `events`, without the white space around it. */
  readonly events: readonly Buffer[];
  /** The body with an empty list `events`, strictly parsed. */
  readonly envelope: unknown;
}

/**
 * Splits a JSON object at its member `events`. If that member is missing or not an array, the result has no events, and the
 * envelope shows what the body holds instead.
 *
 * @param maxEvents the result holds at most one event more than this: the caller sees that there are too many, and refuses
 * @throws {AuditValidationError} `JSON_INVALID`, `UTF8_INVALID` or `JSON_DUPLICATE_KEY` if the envelope itself is malformed, or
 *   if the scan can't find the end of an event
 */
export function splitEvents(body: Buffer, maxEvents: number): SplitBatch {
  const list = findEvents(body);
  if (list === undefined) return { events: [], envelope: parseEnvelope(body) };
  const { events, end } = readElements(body, list + 1, maxEvents);
  const rest = Buffer.concat([body.subarray(0, list + 1), body.subarray(end)]);
  return { events, envelope: parseEnvelope(rest) };
}

function parseEnvelope(text: Buffer): unknown {
  const exceeded = exceededBound(text, deliveryBounds);
  if (exceeded !== undefined) throw malformed('', `outside its events ${exceeded}`);
  return parseStrictJson(decodeUtf8(text));
}

/** Splits newline-delimited JSON: one event per line. Empty lines are skipped. */
export function splitLines(body: Buffer, maxEvents: number): Buffer[] {
  const events: Buffer[] = [];
  // Blank lines are skipped as white space. An object for each of the eight million that a body can have would be slow.
  for (let at = skipSpace(body, 0); at < body.length && events.length <= maxEvents; ) {
    const newline = body.indexOf(0x0a, at);
    const end = newline < 0 ? body.length : newline;
    events.push(trim(body, at, end));
    at = skipSpace(body, end);
  }
  return events;
}

/** The position of the bracket that opens the array `events`, or `undefined`. */
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

/**
 * Whether a member's name is `events`, possibly written with escapes. The strict parser of the envelope finds a second one.
 */
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
 * The position of the comma or closing bracket that ends the value beginning at `at`. Brackets must match in kind: otherwise
 * it is unknown to which event a later bracket belongs.
 */
function endOfValue(body: Buffer, at: number): number {
  const open = new OpenBrackets();
  for (let index = at; index < body.length; ) {
    const byte = body[index]!;
    switch (byte) {
      case quote:
        index = endOfString(body, index);
        continue;
      case openBrace:
        open.push(true);
        break;
      case openBracket:
        open.push(false);
        break;
      case closeBrace:
      case closeBracket:
        if (open.depth === 0) return index;
        if (open.pop() !== (byte === closeBrace)) throw malformed('');
        break;
      case comma:
        if (open.depth === 0) return index;
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
  // Within this slice only: blank lines after it would be read again for each of them.
  let from = start;
  while (from < end && isSpace(body[from])) from++;
  let to = end;
  while (to > from && isSpace(body[to - 1])) to--;
  return body.subarray(from, to);
}

function malformed(pointer: string, message = 'must be JSON (RFC 8259)'): AuditValidationError {
  return new AuditValidationError([{ code: 'JSON_INVALID', pointer, message }]);
}
