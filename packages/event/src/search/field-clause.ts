import { parseIpRange } from '../addresses/ip-range.ts';
import {
  type FilterCondition,
  type FilterParameter,
  filterParameters,
  parseMemberName,
} from '../fields/filters.ts';
import { SearchError } from './query.ts';

/** Longest value of a field. */
const maxValueLength = 512;

/** The fields of a search, by the name of the API's parameter and by the name of the command line's option. */
const parameters = new Map<string, FilterParameter>(
  filterParameters
    .filter(({ compare, field }) => compare !== 'member' && field.filter?.kind !== 'range')
    .flatMap((parameter): [string, FilterParameter][] => [
      ...(parameter.option === undefined ? [] : [[parameter.option, parameter] as [string, FilterParameter]]),
      [parameter.name, parameter],
    ]),
);

/**
 * What `name:value` demands.
 *
 * @param position where it begins in the search
 * @throws {SearchError} `SEARCH_FIELD_UNKNOWN`, `SEARCH_VALUE_INVALID`
 */
export function conditionOf(
  name: string,
  value: string,
  negated: boolean,
  position: number,
): FilterCondition {
  const member = parseMemberName(name);
  const parameter = member?.parameter ?? parameters.get(name);
  if (parameter === undefined) {
    const message = `"${name.slice(0, 64)}" is not a field. Quote the text to search for its words`;
    throw new SearchError('SEARCH_FIELD_UNKNOWN', position, message);
  }
  const fault = faultOf(parameter, value);
  if (fault !== undefined)
    throw new SearchError(
      'SEARCH_VALUE_INVALID',
      position + name.length + 1,
      `the value of ${name} ${fault}`,
    );
  const values = [parameter.field.type === 'boolean' ? value === 'true' : value];
  return member === undefined ? { parameter, negated, values } : { ...member, negated, values };
}

function faultOf({ field, compare }: FilterParameter, value: string): string | undefined {
  const { filter, type } = field;
  if (value === '') return 'is missing';
  if (value.length > maxValueLength) return `has more than ${maxValueLength} characters`;
  if (type === 'boolean' && !['true', 'false'].includes(value)) return 'must be true or false';
  if (filter?.kind === 'enum' && !filter.values.includes(value))
    return `must be one of ${filter.values.join(', ')}`;
  if (compare === 'address' && parseIpRange(value) === undefined)
    return 'must be an IP address, or a range such as 10.0.0.0/8';
  return undefined;
}
