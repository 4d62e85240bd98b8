import {
  type EventField,
  type EventFieldName,
  eventFields,
  fieldValue,
  parseTimestamp,
} from '@tallystick/event';

/**
 * What a store keeps beside a record to find it by: one column for each indexed field of the event. It is derived from the
 * event alone, so a verifier can derive it again and notice a column that was changed to hide a record from a query.
 * `timestamp` is the event's own time, cut to milliseconds.
 */
export type IndexedColumns = { readonly [F in EventField as F['name']]: ColumnValue<F> };

type ColumnValue<F extends EventField> = F['type'] extends 'boolean'
  ? boolean
  : F extends { nullable: true }
    ? string | null
    : string;

/** The names of {@link IndexedColumns}, in the order in which the store writes them. */
export const indexedColumnNames: readonly EventFieldName[] = eventFields.map(({ name }) => name);

type Columns = { [name: string]: string | boolean | null };

/** Copied for each event: an object that has all members from the start is faster to fill than one that grows. */
const empty: Columns = Object.fromEntries(indexedColumnNames.map((name) => [name, null]));

/** The table as the writer reads it for every event: entries of one shape, and no loop for a path of one member. */
const readers = eventFields.map((field) => ({
  name: field.name,
  member: field.path.length === 1 ? field.path[0] : undefined,
  type: field.type,
  nullable: 'nullable' in field,
}));

/**
 * The columns of an event. An admitted event has every required field. A verifier also passes forged events, where any member
 * may hold any JSON value: the function never throws.
 */
export function indexedColumns(event: { readonly [member: string]: unknown }): IndexedColumns {
  const columns = { ...empty };
  for (const { name, member, type, nullable } of readers) {
    const value = member === undefined ? fieldValue(event, name) : event[member];
    if (type === 'boolean') columns[name] = value === true;
    else if (value === undefined && nullable) continue;
    else columns[name] = type === 'timestamp' ? millisecondsOnly(asText(value)) : asText(value);
  }
  return columns as IndexedColumns;
}

function millisecondsOnly(timestamp: string): string {
  const ms = timestamp.length === 24 ? Number.NaN : parseTimestamp(timestamp);
  return Number.isNaN(ms) ? timestamp : new Date(ms).toISOString();
}

/** Not `String()`: it throws for an object that has a member `toString`, which a forged event may have. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
