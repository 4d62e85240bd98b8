/** What events are counted by: fields of the table that are facets, and the hour or the day in which an event happened. */
import { parseTimestamp } from '../validation/check.ts';
import { type IndexedField, indexedFields } from './fields.ts';
import { type AnyEvent, valueAt } from './filter-match.ts';

type Fields = (typeof indexedFields)[number];

/** Name of a field by whose values events are counted. */
export type FacetName = Extract<Fields, { readonly facet: true }>['name'];

/** Spans of time in which events are counted. They begin at full hours and at midnight UTC. */
export const timeFacets = ['hour', 'day'] as const;

/** A span of time in which events are counted. */
export type TimeFacet = (typeof timeFacets)[number];

/** Fields by whose values events are counted, in the order of the table. */
export const facetFields: readonly (IndexedField & { readonly name: FacetName })[] = indexedFields.filter(
  (field: IndexedField): field is Extract<Fields, { readonly facet: true }> => field.facet === true,
);

/** What one count is divided by: one or two fields, or one field and a span of time. */
export interface Grouping {
  readonly fields: readonly FacetName[];
  readonly time?: TimeFacet;
}

/** Most parts of a grouping. */
const maxParts = 2;

/**
 * Reads a grouping, such as `actor,day`. A field may have the name of its command line option: `type` for `event_type`.
 *
 * @returns undefined if the text names something else, the same part twice, or more than two parts
 */
export function readGrouping(text: string): Grouping | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const times = timeFacets.filter((time) => parts.includes(time));
  const fields = parts.flatMap((part) => facetField(part)?.name ?? []);
  const isWhole = fields.length + times.length === parts.length && new Set(fields).size === fields.length;
  if (!isWhole || parts.length > maxParts || times.length > 1) return undefined;
  return { fields, ...(times.length === 1 && { time: times[0]! }) };
}

function facetField(name: string) {
  return facetFields.find((field) => field.name === name || optionOf(field) === name);
}

function optionOf({ filter }: IndexedField): string | undefined {
  return filter?.kind === 'range' ? undefined : filter?.option;
}

const fieldsByName = new Map(facetFields.map((field) => [field.name, field]));

/** The value by which an event counts; null if it has none. An actor is `type:id`. The event may be forged. */
export function facetValue(event: AnyEvent, name: FacetName): string | null {
  const field = fieldsByName.get(name)!;
  const value = valueAt(field, event);
  if (field.filter?.kind === 'actor') return `${event.actor_type}:${value}`;
  const absent = field.filter?.kind === 'enum' ? field.filter.absent : undefined;
  return typeof value === 'string' ? value : (absent ?? null);
}

const lengthMs = { hour: 3_600_000, day: 86_400_000 } as const;

/** When the span began in which a time lies, ms since 1970. */
export function spanStart(ms: number, unit: TimeFacet): number {
  return Math.floor(ms / lengthMs[unit]) * lengthMs[unit];
}

/** When the span began in which an event happened, RFC 3339; null if the event does not say when it happened. */
export function timeFacetValue(event: AnyEvent, unit: TimeFacet): string | null {
  const ms = parseTimestamp(String(event.timestamp));
  return Number.isNaN(ms) ? null : spanText(spanStart(ms, unit));
}

/** The begin of a span, as answers have it. */
export function spanText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
