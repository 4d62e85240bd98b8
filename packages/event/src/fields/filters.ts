/** The filters of lists and streams, derived from the table of indexed fields: one entry for each parameter of the API. */
import { type IndexedField, indexedFields, type RangeEnd } from './fields.ts';

/** One parameter that narrows a list or a stream of events. */
export interface FilterParameter {
  /** Name of the API's parameter. That of a `member` is followed by a dot and the path of the member. */
  readonly name: FilterName | MemberField;
  readonly field: IndexedField;
  /**
   * How the field must compare with the parameter's value. `prefix`: equal, or below a value that ends with `.*`. `actor`: the id, or
   * `type:id`. `element`: one of the list. `address`: the address, or within the range. `member`: the member of this path.
   */
  readonly compare:
    | 'equal'
    | 'prefix'
    | 'actor'
    | 'element'
    | 'address'
    | 'member'
    | 'at_least'
    | 'at_most'
    | 'below';
  /** Name of the command line's option; absent where it has none. */
  readonly option?: string | undefined;
  readonly description: string;
}

type Fields = (typeof indexedFields)[number];

/** A parameter's name with the type of its value, for a filter that is not a range and for a range. */
type ValueOf<F> = F extends {
  name: infer N;
  type: infer T;
  filter: { kind: 'exact' | 'enum' | 'prefix' | 'actor' | 'element' | 'address' };
}
  ? { name: N; value: T extends 'boolean' ? boolean : string }
  : never;
type RangeOf<F> = F extends {
  type: infer T;
  filter: { from: { parameter: infer A }; to: { parameter: infer B } };
}
  ? { name: A | B; value: T extends 'integer' ? number : string }
  : never;
type ValueParameter = ValueOf<Fields>;
type RangeParameter = RangeOf<Fields>;

/** Name of a parameter that is one end of a range. */
export type RangeName = RangeParameter['name'];

/** Name of a parameter that is not a range. It may be given several times, and be negated. */
export type ValueName = ValueParameter['name'];

/** Name of a parameter that narrows a list or a stream of events. */
export type FilterName = ValueName | RangeName;

/** Name of a field by whose members events are found. */
export type MemberField = Extract<Fields, { filter: { kind: 'member' } }>['name'];

/** Name of the parameter for a member: the field and the path, with dots between the names. */
export type MemberName = `${MemberField}.${string}`;

type OneOrMore<T> = T | readonly T[];

/** Filters by values. Several values of one filter mean any of them. */
export type ValueFilters = {
  readonly [P in ValueParameter as P['name']]?: OneOrMore<P['value']> | undefined;
} & { readonly [name: MemberName]: OneOrMore<string> | undefined };

/**
 * Filters of a list or a stream of events: values by the names of the API's parameters. An event must match all of them, and several
 * values of one filter mean any of them. Times are RFC 3339 texts.
 */
export type EventFilters = ValueFilters & {
  readonly [P in RangeParameter as P['name']]?: P['value'] | undefined;
} & {
  /** What an event must not match. An event that lacks the field passes. */
  readonly not?: ValueFilters | undefined;
};

/** Every parameter: those of values in the order of the table, then the ranges. */
export const filterParameters: readonly FilterParameter[] = [
  ...indexedFields.flatMap((field: IndexedField) => valueParameter(field)),
  ...indexedFields.flatMap((field: IndexedField) => rangeParameters(field)),
];

/** What one filter of a request demands of an event. */
export interface FilterCondition {
  readonly parameter: FilterParameter;
  /** Path of the member, with dots between the names; only for `member`. */
  readonly path?: string;
  readonly negated: boolean;
  /** Any of these; one at least. */
  readonly values: readonly (string | number | boolean)[];
}

/** The conditions of the filters that are given. Names that are not in the table are ignored. */
export function readFilters(filters: EventFilters): FilterCondition[] {
  const { not = {}, ...given } = filters;
  return [...conditionsOf(given, false), ...conditionsOf(not, true)];
}

/** The most characters of a member's path in a parameter. */
export const maxMemberPath = 256;

/** The field and the path in the name of a parameter for a member; undefined for any other name. */
export function parseMemberName(
  name: string,
): { readonly parameter: FilterParameter; readonly path: string } | undefined {
  const at = name.indexOf('.');
  const path = name.slice(at + 1);
  if (at < 0 || path === '' || path.length > maxMemberPath) return undefined;
  const parameter = memberParameters.get(name.slice(0, at));
  return parameter === undefined ? undefined : { parameter, path };
}

const memberParameters = new Map<string, FilterParameter>(
  filterParameters.filter(({ compare }) => compare === 'member').map((each) => [each.name, each]),
);

function conditionsOf(given: { readonly [name: string]: unknown }, negated: boolean): FilterCondition[] {
  const ofFields = filterParameters.flatMap((parameter) => {
    const values = parameter.compare === 'member' ? [] : valuesOf(given[parameter.name]);
    return values.length === 0 ? [] : [{ parameter, negated, values }];
  });
  const ofMembers = Object.keys(given).flatMap((name) => {
    const [member, values] = [parseMemberName(name), valuesOf(given[name])];
    return member === undefined || values.length === 0 ? [] : [{ ...member, negated, values }];
  });
  return [...ofFields, ...ofMembers];
}

function valuesOf(given: unknown): (string | number | boolean)[] {
  return [given].flat().filter((value) => ['string', 'number', 'boolean'].includes(typeof value)) as string[];
}

function valueParameter(field: IndexedField): FilterParameter[] {
  const { name, filter, description } = field;
  if (filter === undefined || filter.kind === 'range') return [];
  const { kind, option } = filter;
  const compare = kind === 'exact' || kind === 'enum' ? 'equal' : kind;
  return [{ name: name as FilterName, field, compare, option, description }];
}

function rangeParameters(field: IndexedField): FilterParameter[] {
  const { filter } = field;
  if (filter?.kind !== 'range') return [];
  const endOf = ({ parameter, ...end }: RangeEnd, compare: FilterParameter['compare']): FilterParameter => ({
    name: parameter as FilterName,
    field,
    compare,
    ...end,
  });
  return [endOf(filter.from, 'at_least'), endOf(filter.to, filter.inclusive ? 'at_most' : 'below')];
}
