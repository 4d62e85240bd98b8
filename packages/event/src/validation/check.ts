import type { EventErrorCode, Violation } from '../errors.ts';
import { toPointer } from '../json/pointer.ts';
import { timestampPattern } from '../schema/event.ts';
import type { Fields, Shape } from '../schema/shape.ts';

/** Most violations of one report: an attacker must not be able to cause an unbounded error message. */
const maxViolations = 20;

/** Tokens of a JSON pointer, from the root to a value. */
type Trail = (string | number)[];

/**
 * Checks a JSON value against a shape. It does not check inside members that the shape leaves open. Members that are `undefined`
 * count as absent, as for `JSON.stringify`.
 *
 * @param trail tokens of the value's pointer; used as a stack, and unchanged on return
 * @param found receives the violations
 */
export function checkShape(value: unknown, shape: Shape, trail: Trail, found: Violation[]): void {
  switch (shape.kind) {
    case 'string':
      if (typeof value !== 'string')
        return report(found, trail, shape.code ?? 'FIELD_TYPE', 'must be a string');
      if (shape.minLength !== undefined && value.length < shape.minLength) {
        return report(found, trail, shape.code ?? 'FIELD_LENGTH', 'must not be empty');
      }
      if (shape.maxLength !== undefined && value.length > shape.maxLength) {
        return report(
          found,
          trail,
          shape.code ?? 'FIELD_LENGTH',
          `must have at most ${shape.maxLength} characters`,
        );
      }
      if (shape.pattern !== undefined && !shape.pattern.test(value)) {
        const what = shape.expected ?? `must match ${shape.pattern.source}`;
        return report(found, trail, shape.code ?? 'FIELD_FORMAT', what);
      }
      if (shape.format === 'timestamp' && Number.isNaN(parseTimestamp(value))) {
        return report(found, trail, shape.code ?? 'FIELD_FORMAT', 'must be a date that the calendar has');
      }
      return;
    case 'enum':
      if (typeof value !== 'string')
        return report(found, trail, shape.code ?? 'FIELD_TYPE', 'must be a string');
      if (!shape.values.includes(value)) {
        report(found, trail, shape.code ?? 'FIELD_ENUM', `must be one of ${shape.values.join(', ')}`);
      }
      return;
    case 'number':
    case 'integer':
      if (typeof value !== 'number' || (shape.kind === 'integer' && !Number.isInteger(value))) {
        const noun = shape.kind === 'integer' ? 'an integer' : 'a number';
        return report(found, trail, shape.code ?? 'FIELD_TYPE', `must be ${noun}`);
      }
      if (
        (shape.minimum !== undefined && !(value >= shape.minimum)) ||
        (shape.maximum !== undefined && !(value <= shape.maximum))
      ) {
        const range = `${shape.minimum ?? '-∞'} to ${shape.maximum ?? '∞'}`;
        report(found, trail, shape.code ?? 'FIELD_RANGE', `must be in ${range}`);
      }
      return;
    case 'boolean':
      if (typeof value !== 'boolean')
        report(found, trail, shape.code ?? 'FIELD_TYPE', 'must be true or false');
      return;
    case 'list':
      if (!Array.isArray(value)) return report(found, trail, shape.code ?? 'FIELD_TYPE', 'must be an array');
      if (shape.maxItems !== undefined && value.length > shape.maxItems) {
        return report(
          found,
          trail,
          shape.code ?? 'FIELD_LENGTH',
          `must have at most ${shape.maxItems} items`,
        );
      }
      for (let index = 0; index < value.length; index++) {
        trail.push(index);
        checkShape(value[index], shape.items, trail, found);
        trail.pop();
      }
      return;
    case 'object':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return report(found, trail, shape.code ?? 'FIELD_TYPE', 'must be an object');
      }
      return checkMembers(value as Record<string, unknown>, shape.fields, shape.open, trail, found);
    case 'any':
  }
}

function checkMembers(
  value: Record<string, unknown>,
  fields: Fields,
  open: boolean,
  trail: Trail,
  found: Violation[],
): void {
  for (const name of requiredNames(fields)) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) {
      trail.push(name);
      report(found, trail, 'FIELD_REQUIRED', 'is required');
      trail.pop();
    }
  }
  for (const name in value) {
    const member = value[name];
    if (member === undefined) continue;
    // A member can have the name of a property of Object.prototype, which is not a field.
    const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (shape !== undefined) {
      trail.push(name);
      checkShape(member, shape, trail, found);
      trail.pop();
    } else if (!open) {
      trail.push(name);
      report(found, trail, 'FIELD_UNKNOWN', 'is not a field of the event');
      trail.pop();
    }
  }
}

const requiredNamesOf = new WeakMap<Fields, string[]>();
function requiredNames(fields: Fields): string[] {
  let names = requiredNamesOf.get(fields);
  if (names === undefined) {
    names = Object.keys(fields).filter((name) => fields[name]!.required === true);
    requiredNamesOf.set(fields, names);
  }
  return names;
}

/** Adds a violation, unless there are enough already. */
export function report(
  found: Violation[],
  trail: readonly (string | number)[],
  code: EventErrorCode,
  what: string,
): void {
  if (found.length >= maxViolations) return;
  const whole = toPointer(trail);
  // The sender chooses the keys. They appear only in the pointer, which is bounded. The pointer is stored and sent on, so
  // characters that Postgres or UTF-8 cannot hold become U+FFFD.
  const pointer = (whole.length > 512 ? `${whole.slice(0, 512)}…` : whole)
    .toWellFormed()
    .replaceAll('\0', '\ufffd');
  found.push({ code, pointer, message: what });
}

/**
 * Milliseconds since the epoch of an RFC 3339 UTC timestamp. NaN where it is malformed, or where the calendar does not have the
 * date (30 February, a leap second).
 */
export function parseTimestamp(text: string): number {
  if (!timestampPattern.test(text)) return Number.NaN;
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2);
  // Date.UTC reads the years 0 to 99 as 1900 to 1999. For all other years it is three times as fast as Date.parse.
  const ms =
    year < 100
      ? Date.parse(`${text.slice(0, 19)}Z`)
      : Date.UTC(
          year,
          twoDigits(text, 5) - 1,
          twoDigits(text, 8),
          twoDigits(text, 11),
          twoDigits(text, 14),
          twoDigits(text, 17),
        );
  // A day that the month does not have becomes a day of the next month. That can only happen after the 28th.
  const day = twoDigits(text, 8);
  if (day > 28 && new Date(ms).getUTCDate() !== day) return Number.NaN;
  // Digits after milliseconds are cut and not rounded.
  return text.length === 20
    ? ms
    : ms + Number(`${text.slice(20, Math.min(23, text.length - 1))}00`.slice(0, 3));
}

function twoDigits(text: string, at: number): number {
  return 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 528;
}
