/**
 * Reads the times that callers give. Only forms with one meaning are accepted. `Date.parse` would take `03/04/2026` for a day in
 * March, a text without a zone for a time in the machine's zone, and 30 February for 2 March.
 */
import { parseTimestamp } from '@tallystick/event';
import { isDate } from './kinds.ts';

/** A number below this is a time before March 1973 in milliseconds. It is almost certainly a time of today in seconds. */
const minMilliseconds = 1e11;

const withOffset = /^(.{19})(\.\d{1,9})?([+-])([01]\d|2[0-3]):([0-5]\d)$/;

/**
 * A time as RFC 3339 text in UTC: of a `Date`, a `Temporal.Instant` or `Temporal.ZonedDateTime`, a number of milliseconds, or RFC 3339
 * text with `Z` or an offset. Any other value is returned unchanged, so that the check of the event refuses it.
 */
export function timestampText(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return fromText(value) ?? value;
    case 'number':
      return value >= minMilliseconds ? (fromMilliseconds(value) ?? value) : value;
    case 'object':
      return value === null ? value : (fromObject(value) ?? value);
    default:
      return value;
  }
}

/** What is wrong with a value that {@link timestampText} did not change into a valid text. Never quotes the value. */
export function timestampFault(value: unknown): string {
  if (typeof value === 'number' && value < minMilliseconds) {
    return 'must be in milliseconds since 1970; for a time in seconds, multiply it by 1000';
  }
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/.test(value)) {
    return 'must end with Z or an offset such as +01:00: without it, the time zone is unknown';
  }
  return 'must be a Date, a number of milliseconds since 1970, or RFC 3339 text of a date that the calendar has, such as 2026-03-01T12:00:00Z';
}

function fromText(text: string): string | undefined {
  if (!Number.isNaN(parseTimestamp(text))) return text;
  const [, local, fraction = '', sign, hours, minutes] = withOffset.exec(text) ?? [];
  if (local === undefined) return undefined;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = fromMilliseconds(parseTimestamp(`${local}Z`) + (sign === '+' ? -offsetMs : offsetMs));
  // All digits of the fraction are kept.
  return utc === undefined ? undefined : `${utc.slice(0, 19)}${fraction}Z`;
}

function fromObject(value: object): string | undefined {
  // Also a Date of another realm, such as that of a vm context.
  if (isDate(value)) return fromMilliseconds(Date.prototype.getTime.call(value));
  const kind = (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (kind !== 'Temporal.Instant' && kind !== 'Temporal.ZonedDateTime') return undefined;
  const { epochMilliseconds } = value as { epochMilliseconds?: unknown };
  const text = kind === 'Temporal.Instant' ? String(value) : undefined;
  if (text !== undefined && !Number.isNaN(parseTimestamp(text))) return text;
  return typeof epochMilliseconds === 'number' ? fromMilliseconds(epochMilliseconds) : undefined;
}

function fromMilliseconds(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
