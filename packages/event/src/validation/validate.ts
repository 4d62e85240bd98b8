import { AuditValidationError, type Violation } from '../errors.ts';
import { canonicalize } from '../json/canonical.ts';
import { assertNoDuplicateMembers, decodeUtf8, parseJson } from '../json/strict-json.ts';
import { type AuditEvent, eventShape } from '../schema/event.ts';
import { limits } from '../schema/limits.ts';
import { isReservedEventType, isServiceActor } from '../taxonomy/log.ts';
import type { Taxonomy } from '../taxonomy/taxonomy.ts';
import { uuidv7Time } from '../uuid.ts';
import { checkShape, parseTimestamp, report } from './check.ts';
import { fitsOf, hasCleanStrings, isWithinLimits } from './fits.ts';
import { checkJsonLimits } from './json-limits.ts';
import { checkSealed } from './sealed.ts';

/** What an event must comply with. */
export interface ValidateOptions {
  /**
   * The present time, ms since the epoch. `timestamp`, and the time in a UUIDv7 `audit_id`, may be at most one hour later.
   */
  readonly now: number;
  /** Admit only the types of this taxonomy; where absent, every well-formed type that is not reserved. */
  readonly taxonomy?: Taxonomy | undefined;
  /** Admit also the types and the actor that only the service writes. @defaultValue false */
  readonly allowReserved?: boolean;
}

/** All violations of an event, the most important first; empty for a valid event. {@link readEvent} checks the size too. */
export function findViolations(value: unknown, options: ValidateOptions): Violation[] {
  return findViolationsIn(value, options, false);
}

const fitsEvent = fitsOf(eventShape);

/**
 * As {@link findViolations}, for a value that was parsed from a text.
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
  if (options.allowReserved !== true) checkActors(event, found);
  if (event.sealed !== undefined) checkSealed(event, found);
  return found;
}

/**
 * Checks an event.
 *
 * @throws {AuditValidationError} where the event is not valid
 */
export function assertValidEvent(value: unknown, options: ValidateOptions): asserts value is AuditEvent {
  const found = findViolations(value, options);
  if (found.length > 0) throw new AuditValidationError(found);
}

/** A valid event with its canonical text, which the record's hash covers. */
export interface ReadEvent {
  readonly event: AuditEvent;
  readonly canonical: string;
}

/**
 * Reads one event from bytes or text, which an attacker may have written.
 *
 * @throws {AuditValidationError} with all violations
 */
export function readEvent(source: Uint8Array | string, options: ValidateOptions): ReadEvent {
  // A UTF-16 unit has at least one byte, so text that exceeds the limit in units exceeds it in bytes too.
  if (source.length > limits.maxEventBytes) throw tooLarge();
  const text = typeof source === 'string' ? source : decodeUtf8(source);
  const event = parseJson(text);
  const found = findViolationsIn(event, options, hasCleanStrings(text));
  if (found.length > 0) {
    assertNoDuplicateMembers(event, text);
    throw new AuditValidationError(found);
  }
  const canonical = canonicalize(event);
  // Canonical text has no duplicate members: it is equal to the text that was written from the parsed value.
  if (canonical !== text) assertNoDuplicateMembers(event, text);
  // The size is that of the canonical bytes, so that it does not depend on white space.
  if (canonical.length * 3 > limits.maxEventBytes && utf8Length(canonical) > limits.maxEventBytes)
    throw tooLarge();
  return { event: event as AuditEvent, canonical };
}

function tooLarge(): AuditValidationError {
  const message = `must be at most ${limits.maxEventBytes} bytes; store larger evidence elsewhere and refer to it by hash`;
  return new AuditValidationError([{ code: 'EVENT_TOO_LARGE', pointer: '', message }]);
}

const encoder = new TextEncoder();
function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

function checkTime(event: AuditEvent, now: number, found: Violation[]): void {
  if (parseTimestamp(event.timestamp) > now + limits.maxAheadMs) {
    report(found, ['timestamp'], 'TIMESTAMP_AHEAD', 'must be at most one hour ahead of the clock');
  }
  // From the time in a UUIDv7 the writer derives which partitions can contain a duplicate.
  const idTime = uuidv7Time(event.audit_id);
  if (idTime !== undefined && idTime > now + limits.maxAheadMs) {
    report(found, ['audit_id'], 'AUDIT_ID_AHEAD', 'must contain a time at most one hour ahead of the clock');
  }
}

function checkActors(event: AuditEvent, found: Violation[]): void {
  const message = 'must not name the audit service, which is system/tallystick';
  if (isServiceActor(event.actor_type, event.actor_id))
    report(found, ['actor_id'], 'ACTOR_RESERVED', message);
  for (const [index, { actor_type, actor_id }] of (event.on_behalf_of ?? []).entries()) {
    if (!isServiceActor(actor_type, actor_id)) continue;
    report(found, ['on_behalf_of', index, 'actor_id'], 'ACTOR_RESERVED', message);
  }
}

function checkType(event: AuditEvent, options: ValidateOptions, found: Violation[]): void {
  const type = event.event_type;
  if (isReservedEventType(type)) {
    if (options.allowReserved !== true) {
      report(found, ['event_type'], 'EVENT_TYPE_RESERVED', 'is reserved for the audit service');
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
