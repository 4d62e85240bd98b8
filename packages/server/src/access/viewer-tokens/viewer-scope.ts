import { type EventFilters, readFilters, type ValueFilters } from '@tallystick/event';
import { ServerError } from '../../errors.ts';

/** Types that a viewer token never shows: what the service records about readers, keys and deliveries. */
const hiddenFromViewers = ['audit.*', 'delivery.*'] as const;

/** Most filters of a token. Every request is compared with all of them. */
const maxFilters = 20;
/** Most bytes of a token's filters, as JSON. */
const maxFilterBytes = 8 * 1024;

/**
 * The text of a token's filters in the store.
 *
 * @throws {ServerError} `PARAMETER_INVALID` for a filter without a value, which would filter nothing, and for more filters than a token may have
 */
export function formatViewerFilters(filters: EventFilters): string {
  assertAllRead(filters);
  const text = JSON.stringify(filters);
  if (readFilters(filters).length > maxFilters || Buffer.byteLength(text) > maxFilterBytes)
    throw invalid(`must be at most ${maxFilters}, and ${maxFilterBytes} bytes of JSON`);
  return text;
}

/**
 * Reads what {@link formatViewerFilters} wrote. A filter that this version of the service does not know makes the token unusable: without the
 * filter the token would show more.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function parseViewerFilters(text: string): EventFilters {
  const filters = JSON.parse(text) as EventFilters;
  assertAllRead(filters);
  return filters;
}

/** The filters of a token, and the types that no token shows. */
export function viewerScope(filters: EventFilters): EventFilters {
  const { not = {} } = filters;
  const types = [not.event_type ?? []].flat();
  return { ...filters, not: { ...not, event_type: [...types, ...hiddenFromViewers] } };
}

/** Checks that each filter that is given becomes a condition with all its values. */
function assertAllRead({ not = {}, ...given }: EventFilters): void {
  const conditions = [...readFilters(given), ...readFilters({ not })];
  const names = [...Object.entries(given), ...Object.entries(not)];
  const isEmpty = ([, values]: [string, unknown]) => [values].flat().length === 0;
  const empty = names.find(isEmpty);
  if (empty !== undefined) throw invalid(`must have a value for ${empty[0]}`);
  const values = names.flatMap(([, of]) => [of].flat()).length;
  const read = conditions.flatMap((condition) => condition.values).length;
  if (conditions.length !== names.length || read !== values || conditions.some(isRange))
    throw invalid('must be filters of a stream of events');
}

function isRange({ parameter }: ReturnType<typeof readFilters>[number]): boolean {
  return parameter.field.filter?.kind === 'range';
}

/** The filters in the form of the API: `not.` before the names of those that are negated. */
export function viewerFiltersToApi({ not = {}, ...given }: EventFilters): {
  readonly [parameter: string]: readonly (string | boolean)[];
} {
  const named = (filters: ValueFilters, prefix: string) =>
    Object.entries(filters).map(([name, values]) => [`${prefix}${name}`, [values].flat()]);
  return Object.fromEntries([...named(given as ValueFilters, ''), ...named(not, 'not.')]);
}

function invalid(what: string): ServerError {
  return new ServerError('PARAMETER_INVALID', `filters ${what}`, { details: { parameter: 'filters' } });
}
