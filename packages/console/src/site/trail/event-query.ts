/** The filters of the events page, as the address holds them and as the API takes them. */
import type { EventFilters, EventQuery } from '@tallystick/client';
import { indexedFields } from '@tallystick/event';

/** A condition: a field is, or is not, one of the values. */
export interface Condition {
  /** Name of the API's parameter: `event_type`, `metadata.platform`. */
  readonly field: string;
  readonly negated: boolean;
  readonly values: readonly string[];
}

/** Which part of time the page shows. */
export type TimeRange =
  | { readonly last: string }
  | { readonly from?: string | undefined; readonly to?: string | undefined };

/** Lengths of the ranges that end now. */
export const lastRanges: { readonly [name: string]: { readonly label: string; readonly ms: number } } = {
  '15m': { label: 'Last 15 minutes', ms: 15 * 60_000 },
  '1h': { label: 'Last hour', ms: 3_600_000 },
  '24h': { label: 'Last 24 hours', ms: 24 * 3_600_000 },
  '7d': { label: 'Last 7 days', ms: 7 * 24 * 3_600_000 },
  '30d': { label: 'Last 30 days', ms: 30 * 24 * 3_600_000 },
};

/** The fields that the page can filter by, with what a reader sees. Derived from the table of indexed fields. */
export const filterFields = indexedFields.flatMap((field) => {
  const { name, description } = field;
  if (!('filter' in field) || field.filter.kind === 'range') return [];
  const { filter } = field;
  return [{ name, description, kind: filter.kind, values: filter.kind === 'enum' ? filter.values : [] }];
});

const negation = 'not.';

/** The conditions in the parameters of an address. Parameters that are no fields belong to other parts of the page. */
export function conditionsOf(parameters: URLSearchParams): readonly Condition[] {
  return [...new Set(parameters.keys())].flatMap((name) => {
    const negated = name.startsWith(negation);
    const field = negated ? name.slice(negation.length) : name;
    return isFilterField(field) ? [{ field, negated, values: parameters.getAll(name) }] : [];
  });
}

/** Whether the API can filter by a parameter of this name. */
export function isFilterField(name: string): boolean {
  const [first = '', ...path] = name.split('.');
  return filterFields.some(({ name: field, kind }) => {
    return kind === 'member'
      ? field === first && path.length > 0 && path.every((part) => part !== '')
      : field === name;
  });
}

/** The parameter of the address for a condition. */
export function parameterOf({ field, negated }: Pick<Condition, 'field' | 'negated'>): string {
  return negated ? negation + field : field;
}

/** The search in the parameters of an address. */
export function searchOf(parameters: URLSearchParams): string | undefined {
  const q = parameters.get('q')?.trim();
  return q === undefined || q === '' ? undefined : q;
}

/** The time range in the parameters of an address; without one, all time. */
export function timeRangeOf(parameters: URLSearchParams): TimeRange {
  const last = parameters.get('last');
  if (last !== null && Object.hasOwn(lastRanges, last)) return { last };
  return { from: timeOf(parameters.get('from')), to: timeOf(parameters.get('to')) };
}

function timeOf(value: string | null): string | undefined {
  return value === null || Number.isNaN(Date.parse(value)) ? undefined : new Date(value).toISOString();
}

/** The query of the API for the parameters of an address. A range that ends now begins at `now` less its length. */
export function eventQueryOf(tenant: string, parameters: URLSearchParams, now: number): EventQuery {
  const filters: Record<string, unknown> = {};
  const not: Record<string, readonly string[]> = {};
  for (const { field, negated, values } of conditionsOf(parameters))
    (negated ? not : filters)[field] = values;
  const range = timeRangeOf(parameters);
  const from = 'last' in range ? new Date(now - lastRanges[range.last]!.ms).toISOString() : range.from;
  const to = 'last' in range ? undefined : range.to;
  const q = searchOf(parameters);
  return {
    tenant_id: tenant,
    filters: {
      ...filters,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(Object.keys(not).length > 0 && { not }),
    } as EventFilters,
    ...(q !== undefined && { q }),
    ...(parameters.get('reads') === '1' && { include_reads: true }),
  };
}

/** What decides which events the page lists: when this text is the same, so is the list. */
export function listKeyOf(tenant: string, parameters: URLSearchParams): string {
  const conditions = conditionsOf(parameters).map((each) => [parameterOf(each), [...each.values].sort()]);
  return JSON.stringify([
    tenant,
    conditions,
    timeRangeOf(parameters),
    searchOf(parameters),
    parameters.get('reads'),
  ]);
}
