import { createHash } from 'node:crypto';
import { limits, parseTimestamp } from '@tallystick/event';
import { MappingError } from './source-json.ts';

// Other systems write values that an event may not contain. These functions make them admissible.

/** Replaces U+0000, which PostgreSQL can't store, and lone surrogates, which UTF-8 can't encode. */
export function cleanText(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

/** Text that is cut to a length; an ellipsis marks the cut. */
export function clip(value: string, length: number): string {
  const text = cleanText(value);
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

/** An identifier. If it is too long it is cut and gets its hash, so that two identifiers stay different. */
export function identifier(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  const text = cleanText(value);
  if (text.length <= limits.maxIdentifierLength) return text;
  const hash = createHash('sha256').update(text).digest('hex');
  return `${text.slice(0, limits.maxIdentifierLength - hash.length - 1).toWellFormed()}#${hash}`;
}

/** `GetObject` → `get_object`, `DescribeDBInstances` → `describe_db_instances`: one part of an event type. */
export function typePart(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (words === '') return 'unknown';
  return /^[a-z]/.test(words) ? words.slice(0, 40) : `x${words}`.slice(0, 40);
}

const offsetPattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(?:(Z|z)|([+-])(\d\d):?(\d\d))$/;

/** No place on Earth is further from UTC than UTC+14. */
const maxMinutesAhead = 14 * 60;

/**
 * A time in the format of events: RFC 3339 in UTC. An offset is applied, and the fraction of the second is kept.
 *
 * @throws {MappingError} `TIMESTAMP_INVALID`
 */
export function utcTimestamp(value: string, name: string): string {
  const [, date, time, digits, z, sign, hours, minutes] = offsetPattern.exec(value) ?? [];
  if (date !== undefined) {
    const fraction = digits === undefined ? '' : `.${digits}`;
    const local = parseTimestamp(`${date}T${time}Z`);
    const minutesAhead = z === undefined ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : 0;
    const utc = new Date(local - minutesAhead * 60_000);
    const isPossible = Number(minutes ?? 0) < 60 && Math.abs(minutesAhead) <= maxMinutesAhead;
    if (isPossible && utc.getUTCFullYear() >= 1 && utc.getUTCFullYear() <= 9_999)
      return `${utc.toISOString().slice(0, 19)}${fraction}Z`;
  }
  throw new MappingError(
    'TIMESTAMP_INVALID',
    `${name} is not an RFC 3339 time, such as 2025-03-14T09:26:53Z or 2025-03-14T10:26:53+01:00`,
  );
}

/** How much of a value may still be copied. */
interface Budget {
  depth: number;
  members: number;
  characters: number;
}

const copyBudget: Budget = { depth: 6, members: 150, characters: 8_192 };

/**
 * A copy of a JSON value that is small enough to be in an event beside the original text. Undefined if the value is too
 * large or too deep: a part of a value would mislead.
 */
export function boundedCopy(value: unknown): unknown {
  return copy(value, { ...copyBudget });
}

function copy(value: unknown, left: Budget): unknown {
  if (typeof value === 'string') {
    left.characters -= value.length;
    return left.characters < 0 ? undefined : cleanText(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (left.depth === 0) return undefined;
  left.depth--;
  const made: unknown[] | { [member: string]: unknown } = Array.isArray(value) ? [] : {};
  for (const [key, member] of Object.entries(value)) {
    left.characters -= key.length;
    const kept = --left.members < 0 || left.characters < 0 ? undefined : copy(member, left);
    if (kept === undefined) return undefined;
    if (Array.isArray(made)) made.push(kept);
    // An assignment to `__proto__` would set the prototype and lose the member.
    else
      Object.defineProperty(made, cleanText(key), {
        value: kept,
        enumerable: true,
        writable: true,
        configurable: true,
      });
  }
  left.depth++;
  return made;
}

/** The object without the members that are undefined. */
export function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
