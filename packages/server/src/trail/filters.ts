import { type EventFilters, type FilterParameter, filterParameters } from '@tallystick/event';
import { bookkeepingTypes } from '@tallystick/protocol';

/**
 * Whether a filter looks at something that a redacted record does not show. A reader without the scope for sensitive records
 * gets none of them then: a redacted row in the answer would say that the filter matches it.
 */
export function filtersContent(filters: EventFilters): boolean {
  return filterParameters.some(({ name, field }) => field.sensitive && filters[name] !== undefined);
}

/** A condition of SQL, empty or beginning with `and`, and the values of its parameters. */
export interface Conditions {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * The conditions of the filters that are given, over `audit_records` as `r`. Names come from the table of indexed fields, and
 * values only as parameters. The range of sequence numbers is not here: the page itself is one.
 *
 * @param first number of the first parameter
 */
export function conditionsOf(filters: EventFilters, first: number): Conditions {
  const given = filterParameters.filter(
    ({ name, field }) => field.name !== 'sequence_number' && filters[name] !== undefined,
  );
  const parts = given.map((parameter, at) => condition(parameter, filters[parameter.name], first + at));
  return {
    sql: parts.map(({ sql }) => `and ${sql}`).join('\n           '),
    values: parts.map(({ value }) => value),
  };
}

/** As an array of SQL. */
const bookkeeping = `'{${bookkeepingTypes.join(',')}}'::text[]`;

/** Whether a list leaves out the service's bookkeeping. A filter for types of events asks for it. */
export function leavesOutBookkeeping({ event_type }: EventFilters, includeBookkeeping: boolean): boolean {
  return !includeBookkeeping && event_type === undefined;
}

/** The condition that leaves the service's bookkeeping out, over `audit_records` as `r`. */
export const withoutBookkeeping = `and r.event_type <> all (${bookkeeping})`;
/** The condition that finds it. */
export const onlyBookkeeping = `and r.event_type = any (${bookkeeping})`;

const operators = { equal: '=', at_least: '>=', at_most: '<=', below: '<' } as const;

function condition(
  { field, compare }: FilterParameter,
  value: unknown,
  number: number,
): { readonly sql: string; readonly value: unknown } {
  const column = `r."${field.name}"`;
  if (compare === 'prefix') {
    const text = String(value);
    return text.endsWith('.*')
      ? { sql: `starts_with(${column}, $${number}::text)`, value: text.slice(0, -1) }
      : { sql: `${column} = $${number}::text`, value };
  }
  const absent = field.filter?.kind === 'enum' ? field.filter.absent : undefined;
  const left = absent === undefined ? column : `coalesce(${column}, '${absent}')`;
  return { sql: `${left} ${operators[compare]} $${number}::${sqlType[field.type]}`, value };
}

const sqlType = {
  uuid: 'uuid',
  timestamp: 'timestamptz',
  text: 'text',
  boolean: 'boolean',
  integer: 'bigint',
} as const;
