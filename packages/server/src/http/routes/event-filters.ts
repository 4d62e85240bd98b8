import { type EventFilters, type FilterParameter, filterParameters, type RangeName } from '@tallystick/event';
import * as z from 'zod';
import { flag, integer, text, timestamp } from '../kernel/parameters.ts';

/** Parameters that narrow a list or a stream, by name; each may be left out. */
type FilterShape<N extends keyof EventFilters> = {
  readonly [P in N]: z.ZodOptional<z.ZodType<NonNullable<EventFilters[P]>>>;
};

/** Filters of a list: one parameter for each filter of an indexed field. */
export const listFilters = shapeOf(filterParameters) as FilterShape<keyof EventFilters>;

/** Filters of a stream: those of one value. A stream has no end, so it takes no ranges. */
export const streamFilters = shapeOf(
  filterParameters.filter(({ field }) => field.filter?.kind !== 'range'),
) as FilterShape<Exclude<keyof EventFilters, RangeName>>;

/** Whether a list or stream has the service's bookkeeping. */
export const includeReads = flag(
  'Whether to include records that the trail was read (`audit.read`) and that the accounts of producers changed ' +
    '(`audit.accounts_changed`). A filter by `event_type` includes those of its types without it',
).default(false);

function shapeOf(parameters: readonly FilterParameter[]): { [name: string]: z.ZodOptional<z.ZodType> } {
  return Object.fromEntries(parameters.map((each) => [each.name, typeOf(each).optional()]));
}

function typeOf({ field, compare, description }: FilterParameter): z.ZodType {
  if (field.type === 'timestamp') return timestamp(description);
  if (field.type === 'integer') return integer(description);
  if (field.type === 'boolean') return flag(description);
  if (field.filter?.kind === 'enum') return z.enum([...field.filter.values]).describe(description);
  return compare === 'prefix' ? dottedPrefix(description) : text(description);
}

/** A dotted name, or a prefix of dotted names that ends with `.*`. */
function dottedPrefix(description: string): z.ZodType<string> {
  return z
    .string()
    .regex(/^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*(?:\.\*)?$/, {
      message: 'must be a type, or a prefix as alert.*',
    })
    .max(128)
    .describe(description);
}
