import { type EventFilters, facetFields, type Grouping, readFilters } from '@tallystick/event';

/**
 * Which rows of the hourly counts answer a request: `detailed` rows have all fields that events are counted by, and `types` rows, of
 * which there are fewer, only the event type.
 */
export type Coverage = 'types' | 'detailed';

const ofTypes = new Set<string>(['event_type', 'is_sensitive', 'timestamp']);
const ofDetails = new Set<string>([...facetFields.map(({ name }) => name), 'actor_id', ...ofTypes]);

/** Undefined where the hourly counts don't have a field that the request needs. */
export function coverageOf(filters: EventFilters, groupings: readonly Grouping[]): Coverage | undefined {
  const needed = [
    ...readFilters(filters).map(({ parameter }) => parameter.field.name),
    ...groupings.flatMap(({ fields }) => fields),
  ];
  if (needed.every((name) => ofTypes.has(name))) return 'types';
  return needed.every((name) => ofDetails.has(name)) ? 'detailed' : undefined;
}
