/** The filters of lists and streams, derived from the table of indexed fields: one entry for each parameter of the API. */
import { type IndexedField, indexedFields, type RangeEnd } from './fields.ts';

/** One parameter that narrows a list or a stream of events. */
export interface FilterParameter {
  /** Name of the API's parameter. */
  readonly name: FilterName;
  readonly field: IndexedField;
  /** How the field must compare with the parameter's value. `prefix`: equal, or below a value that ends with `.*`. */
  readonly compare: 'equal' | 'prefix' | 'at_least' | 'at_most' | 'below';
  /** Name of the command line's option; absent where it has none. */
  readonly option?: string | undefined;
  readonly description: string;
}

type Fields = (typeof indexedFields)[number];

/** A parameter's name with the type of its value, for a filter of one value and for a range. */
type ValueOf<F> = F extends { name: infer N; type: infer T; filter: { kind: 'exact' | 'enum' | 'prefix' } }
  ? { name: N; value: T extends 'boolean' ? boolean : string }
  : never;
type RangeOf<F> = F extends {
  type: infer T;
  filter: { from: { parameter: infer A }; to: { parameter: infer B } };
}
  ? { name: A | B; value: T extends 'integer' ? number : string }
  : never;
type Parameter = ValueOf<Fields> | RangeOf<Fields>;

/** Name of a parameter that is one end of a range. */
export type RangeName = RangeOf<Fields>['name'];

/** Name of a parameter that narrows a list or a stream of events. */
export type FilterName = Parameter['name'];

/**
 * Filters of a list or a stream of events: values by the names of the API's parameters. An event must match all of them. Times
 * are RFC 3339 texts.
 */
export type EventFilters = {
  readonly [P in Parameter as P['name']]?: P['value'] | undefined;
};

/** Every parameter: those of one value in the order of the table, then the ranges. */
export const filterParameters: readonly FilterParameter[] = [
  ...indexedFields.flatMap((field: IndexedField) => valueParameter(field)),
  ...indexedFields.flatMap((field: IndexedField) => rangeParameters(field)),
];

function valueParameter(field: IndexedField): FilterParameter[] {
  const { name, filter, description } = field;
  if (filter === undefined || filter.kind === 'range') return [];
  const compare = filter.kind === 'prefix' ? 'prefix' : 'equal';
  return [{ name: name as FilterName, field, compare, option: filter.option, description }];
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
