import {
  type EventFilters,
  type FilterCondition,
  type FilterParameter,
  parseActorReference,
} from '@tallystick/event';
import { bookkeepingTypes } from '@tallystick/protocol';

/**
 * Whether a filter looks at something that a redacted record does not show. A reader without the scope for sensitive records
 * gets none of them then: a redacted row in the answer would say that the filter matches it.
 */
export function filtersContent(conditions: readonly FilterCondition[]): boolean {
  return conditions.some(({ parameter }) => parameter.field.sensitive);
}

/** Conditions on fields that no column holds. They are compared with the bytes of each record. */
export function derivedConditions(conditions: readonly FilterCondition[]): FilterCondition[] {
  return conditions.filter(({ parameter }) => parameter.field.derived === true);
}

/** A condition of SQL, empty or beginning with `and`, and the values of its parameters. */
export interface Conditions {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * The conditions of the filters that columns answer, over `audit_records` as `r`. Names come from the table of indexed fields, and
 * values only as parameters. The range of sequence numbers is not here: the page itself is one.
 *
 * @param first number of the first parameter
 */
export function conditionsOf(conditions: readonly FilterCondition[], first: number): Conditions {
  const values: unknown[] = [];
  const add = (value: unknown) => `$${first + values.push(value) - 1}`;
  const given = conditions.filter(
    ({ parameter: { field } }) => field.name !== 'sequence_number' && field.derived !== true,
  );
  const parts = given.map((condition) => {
    const sql = conditionOf(condition, add);
    return condition.negated ? `and (${sql}) is not true` : `and ${sql}`;
  });
  return { sql: parts.join('\n           '), values };
}

/**
 * Whether a list leaves out the records of reads and the service's other bookkeeping ({@link bookkeepingTypes}). A filter for types
 * of events asks for them.
 */
export function leavesOutReads({ event_type }: EventFilters, includeReads: boolean): boolean {
  return !includeReads && event_type === undefined;
}

/** The condition that leaves the records of reads and the other bookkeeping out, over `audit_records` as `r`. */
export const withoutReads = `and r.event_type <> all ('{${bookkeepingTypes.join(',')}}'::text[])`;

type Add = (value: unknown) => string;

function conditionOf({ parameter, values }: FilterCondition, add: Add): string {
  const { field, compare } = parameter;
  switch (compare) {
    case 'prefix':
      return anyOf(values.map((value) => prefixCondition(`r."${field.name}"`, String(value), add)));
    case 'actor':
      return anyOf(values.map((value) => actorCondition(String(value), add)));
    case 'equal': {
      const type = sqlType[field.type];
      // An index gives the order of a page for one value, and not for a list of values.
      return values.length === 1
        ? `${columnOf(parameter)} = ${add(values[0])}::${type}`
        : `${columnOf(parameter)} = any (${add(values)}::${type}[])`;
    }
    case 'at_least':
    case 'at_most':
    case 'below':
      return `${columnOf(parameter)} ${operators[compare]} ${add(values[0])}::${sqlType[field.type]}`;
    default:
      throw new Error(`no column answers the filter ${parameter.name}`);
  }
}

function anyOf(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : `(${parts.join(' or ')})`;
}

function prefixCondition(column: string, text: string, add: Add): string {
  return text.endsWith('.*')
    ? `starts_with(${column}, ${add(text.slice(0, -1))}::text)`
    : `${column} = ${add(text)}::text`;
}

function actorCondition(text: string, add: Add): string {
  const { type, id } = parseActorReference(text);
  const ofId = `r."actor_id" = ${add(id)}::text`;
  return type === undefined ? ofId : `(${ofId} and r."actor_type" = ${add(type)}::text)`;
}

function columnOf({ field }: FilterParameter): string {
  const column = `r."${field.name}"`;
  const absent = field.filter?.kind === 'enum' ? field.filter.absent : undefined;
  return absent === undefined ? column : `coalesce(${column}, '${absent}')`;
}

const operators = { at_least: '>=', at_most: '<=', below: '<' } as const;

const sqlType = {
  uuid: 'uuid',
  timestamp: 'timestamptz',
  text: 'text',
  boolean: 'boolean',
  integer: 'bigint',
} as const;
