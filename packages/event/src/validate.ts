import { canonicalize } from './canonical.ts';
import { checkShape, parseTimestamp, report } from './check.ts';
import { AuditValidationError, type Violation } from './errors.ts';
import { type AuditEvent, eventShape } from './event.ts';
import { fitsOf, hasCleanStrings, isWithinLimits } from './fits.ts';
import { checkJsonLimits } from './json-limits.ts';
import { limits } from './limits.ts';
import { checkSealed } from './sealed.ts';
import { assertNoDuplicateMembers, decodeUtf8, parseJson } from './strict-json.ts';
import { isReservedEventType } from './taxonomy/log.ts';
import type { Taxonomy } from './taxonomy/taxonomy.ts';
import { uuidv7Time } from './uuid.ts';

/** What an event is held against. */
export interface ValidateOptions {
  /** The clock that `timestamp` and a UUIDv7 `audit_id` may lie at most one hour ahead of, ms since the epoch. */
  readonly now: number;
  /** Admit only these types; without one, any well-formed type that is not reserved. */
  readonly taxonomy?: Taxonomy | undefined;
  /** Admit the types that only the service writes. @defaultValue false */
  readonly allowReserved?: boolean;
}

/** Everything that is wrong with an event, worst first; empty if it is valid. Size is checked by {@link readEvent}. */
export function findViolations(value: unknown, options: ValidateOptions): Violation[] {
  return findViolationsIn(value, options, false);
}

const fitsEvent = fitsOf(eventShape);

/**
 * The same, for a value whose text is known.
 *
 * @param stringsAreClean see `isWithinLimits`
 */
export function findViolationsIn(
  value: unknown,
  options: ValidateOptions,
  stringsAreClean: boolean,
): Violation[] {
  const found: Violation[] = [];
  if (!fitsEvent(value) || !isWithinLimits(value, stringsAreClean)) {
    checkJsonLimits(value, found);
    checkShape(value, eventShape, [], found);
    return found;
  }
  const event = value as AuditEvent;
  checkTime(event, options.now, found);
  checkType(event, options, found);
  if (event.sealed !== undefined) checkSealed(event, found);
  return found;
}

/**
 * @throws {AuditValidationError} where the event is not valid
 */
export function assertValidEvent(value: unknown, options: ValidateOptions): asserts value is AuditEvent {
  const found = findViolations(value, options);
  if (found.length > 0) throw new AuditValidationError(found);
}

/** A valid event with its canonical text, which is what gets hashed. */
export interface ReadEvent {
  readonly event: AuditEvent;
  readonly canonical: string;
}

/**
 * Reads one event as it came from outside: bytes or text that an attacker may have written.
 *
 * @throws {AuditValidationError} with every violation found
 */
export function readEvent(source: Uint8Array | string, options: ValidateOptions): ReadEvent {
  // A UTF-16 unit makes at least one byte, so text longer than the limit in units is over it in bytes too.
  if (source.length > limits.maxEventBytes) throw tooLarge();
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  const event = parseJson(text);
  const found = findViolationsIn(event, options, hasCleanStrings(text));
  if (found.length > 0) {
    assertNoDuplicateMembers(event, text);
    throw new AuditValidationError(found);
  }
  const canonical = canonicalize(event);
  // Text that is canonical has no member twice: it was written from what it was parsed to.
  if (canonical !== text) assertNoDuplicateMembers(event, text);
  // Canonical bytes count, so that the same event is too large or not whatever its white space.
  if (canonical.length * 3 > limits.maxEventBytes && utf8Length(canonical) > limits.maxEventBytes)
    throw tooLarge();
  return { event: event as AuditEvent, canonical };
}

function tooLarge(): AuditValidationError {
  const message = `must be at most ${limits.maxEventBytes} bytes; keep larger evidence outside and refer to it by hash`;
  return new AuditValidationError([{ code: 'EVENT_TOO_LARGE', pointer: '', message }]);
}

const encoder = new TextEncoder();
function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

function checkTime(event: AuditEvent, now: number, found: Violation[]): void {
  if (parseTimestamp(event.timestamp) > now + limits.maxAheadMs) {
    report(found, ['timestamp'], 'TIMESTAMP_AHEAD', 'must not lie more than an hour ahead of the clock');
  }
  // The writer trusts the time in a UUIDv7 to know which partitions can hold a duplicate of it.
  const idTime = uuidv7Time(event.audit_id);
  if (idTime !== undefined && idTime > now + limits.maxAheadMs) {
    report(
      found,
      ['audit_id'],
      'AUDIT_ID_AHEAD',
      'must not carry a time more than an hour ahead of the clock',
    );
  }
}

function checkType(event: AuditEvent, options: ValidateOptions, found: Violation[]): void {
  const type = event.event_type;
  if (isReservedEventType(type)) {
    if (options.allowReserved !== true) {
      report(found, ['event_type'], 'EVENT_TYPE_RESERVED', 'is written by the audit service alone');
    }
    return;
  }
  const taxonomy = options.taxonomy;
  if (taxonomy === undefined) return;
  const declared = taxonomy.find(type);
  if (declared === undefined) {
    return report(found, ['event_type'], 'EVENT_TYPE_UNKNOWN', `is not in the taxonomy ${taxonomy.name}`);
  }
  if (event.event_category !== undefined && event.event_category !== declared.category) {
    report(
      found,
      ['event_category'],
      'EVENT_CATEGORY_MISMATCH',
      `must be ${declared.category} for this type`,
    );
  }
  for (const [name, shape] of Object.entries(declared.payload)) {
    const value = (event as Record<string, unknown>)[name];
    if (value !== undefined) {
      if (!fitsOf(shape)(value)) checkShape(value, shape, [name], found);
    } else if (shape.required === true) report(found, [name], 'FIELD_REQUIRED', 'is required for this type');
  }
}
