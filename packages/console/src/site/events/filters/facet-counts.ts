/** The counts beside the list: how many events have which value of a field. */
import type { Client, EventQuery } from '@tallystick/client';
import type { StatsGrouping } from '@tallystick/protocol';

/** The fields that are counted, in their order, with what a reader sees. */
export const facetFields = [
  { field: 'event_type', title: 'Event' },
  { field: 'outcome_status', title: 'Outcome' },
  { field: 'severity', title: 'Severity' },
  { field: 'actor', title: 'Actor' },
  { field: 'target_type', title: 'Target' },
  { field: 'source_service', title: 'Service' },
] as const;

/** One of {@link facetFields}. */
type FacetField = (typeof facetFields)[number]['field'];

/** Values of a field that are read; the page shows the first ones until the reader wants more. */
const mostValues = 50;

/** How far a count goes. `about`: whole hours at the ends of the range; `at_least`: there may be more. */
export type Exactness = 'exact' | 'about' | 'at_least';

/** The values of one field, those with the most events first. */
export interface Facet {
  readonly field: FacetField;
  readonly values: readonly { readonly value: string; readonly records: number }[];
  /** Values that are not listed. */
  readonly leftOut: number;
  readonly exactness: Exactness;
}

/** All counts of a list. */
export interface FacetCounts {
  readonly facets: readonly Facet[];
  /** Events that match all filters and the search. */
  readonly records: number;
  readonly exactness: Exactness;
  readonly withoutSensitive: boolean;
}

/**
 * Counts the events of a list by each field. The values of a field that has a filter are counted as if it had none, so that the reader
 * sees which other values there are: one request for each such field, and one for all others.
 */
export async function countFacets(
  client: Client,
  { order: _, include: __, ...query }: EventQuery,
  signal: AbortSignal,
): Promise<FacetCounts> {
  const filters = (query.filters ?? {}) as { readonly [name: string]: unknown };
  const filtered = facetFields.filter(({ field }) => field in filters).map(({ field }) => field);
  const others = facetFields.map(({ field }) => field).filter((field) => !filtered.includes(field));
  const count = async (by: readonly FacetField[], without?: FacetField) => {
    const remaining = Object.fromEntries(Object.entries(filters).filter(([name]) => name !== without));
    const request = { ...query, filters: remaining, by, limit: mostValues };
    const stats = await client.stats.get(request as never, { signal });
    const exactness: Exactness =
      stats.complete === false ? 'at_least' : stats.estimate === true ? 'about' : 'exact';
    return { stats, exactness, facets: stats.groupings.map((one) => facetOf(one, exactness)) };
  };
  const [all, ...single] = await Promise.all([
    count(others),
    ...filtered.map((field) => count([field], field)),
  ]);
  const facets = [all!, ...single].flatMap((one) => one.facets);
  return {
    facets: facetFields.map(({ field }) => facets.find((facet) => facet.field === field)!),
    records: all!.stats.records,
    exactness: all!.exactness,
    withoutSensitive: all!.stats.sensitive_left_out,
  };
}

function facetOf({ by, groups, groups_left_out }: StatsGrouping, exactness: Exactness): Facet {
  const field = by[0] as FacetField;
  return {
    field,
    values: groups.flatMap(({ values, records }) => {
      const value = values[field];
      return value === null || value === undefined ? [] : [{ value, records }];
    }),
    leftOut: groups_left_out,
    exactness,
  };
}

/** A count for people: `1,204`, `about 1,204`, `at least 1,204`. */
export function countText(records: number, exactness: Exactness, { short = false } = {}): string {
  const number = records.toLocaleString();
  if (exactness === 'exact') return number;
  if (exactness === 'about') return `${short ? '~' : 'about '}${number}`;
  return `${short ? '≥' : 'at least '}${number}`;
}
