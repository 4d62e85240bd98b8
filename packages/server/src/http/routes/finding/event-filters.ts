import {
  type EventFilters,
  type FilterParameter,
  filterParameters,
  parseIpRange,
  parseMemberName,
  type RangeName,
  type ValueName,
} from '@tallystick/event';
import { maxSearchLength } from '@tallystick/event/search';
import * as z from 'zod';
import {
  anyOf,
  flag,
  integer,
  maxValues,
  openParameter,
  tenantId,
  text,
  timestamp,
} from '../../kernel/requests/parameters.ts';

/** Before the name of a filter that events must not match. */
const negation = 'not.';
type Negated<N extends string> = `${typeof negation}${N}`;

/** A filter by values may be given several times; it is a list of what was given. */
type ValueShape = {
  readonly [P in ValueName | Negated<ValueName>]: z.ZodOptional<z.ZodType<readonly (string | boolean)[]>>;
};
type RangeShape = { readonly [P in RangeName]: z.ZodOptional<z.ZodType<NonNullable<EventFilters[P]>>> };

const valueFilters = filterParameters.filter(
  ({ compare, field }) => compare !== 'member' && field.filter?.kind !== 'range',
);
const memberFilters = filterParameters.filter(({ compare }) => compare === 'member');

/** Filters of a stream: those by values. A stream has no end, so it takes no ranges. */
export const streamFilters: ValueShape = Object.fromEntries(
  valueFilters.flatMap((parameter) => {
    const { name, description } = parameter;
    return [
      [name, anyOf(typeOf(parameter), description).optional()],
      [`${negation}${name}`, anyOf(typeOf(parameter), `Events that do not match \`${name}\``).optional()],
    ];
  }),
) as ValueShape;

/** Filters of a list: one parameter for each filter of an indexed field. */
const listFilters: ValueShape & RangeShape = {
  ...streamFilters,
  ...(Object.fromEntries(
    filterParameters.flatMap((parameter) =>
      parameter.field.filter?.kind === 'range' ? [[parameter.name, typeOf(parameter).optional()]] : [],
    ),
  ) as RangeShape),
};

/** The search of a list, a stream, an export or a count. */
export const searchText = z
  .string()
  .min(1)
  .max(maxSearchLength)
  .describe(
    'Search of the texts of events: words, `"phrases"`, `begin*`, `field:value`, IP addresses and ranges; `-` before a part leaves ' +
      'its events out. All parts must match, unless `OR` divides them into alternatives; parentheses group parts: `a (b OR -c)`',
  );

/** What selects events of a list, an export, a count or a ranking. */
export const eventSearch = { tenant_id: tenantId.optional(), ...listFilters, q: searchText.optional() };

/** Whether a list or stream has the service's bookkeeping. */
export const includeReads = flag(
  'Whether to include records that the trail was read (`audit.read`) and that the accounts of producers changed ' +
    '(`audit.accounts_changed`). A filter by `event_type` includes those of its types without it',
).default(false);

/** Most members that one request can filter by. */
const maxMembers = 20;

const memberValues = anyOf(text('Value of a member'), 'Value of a member');

/** Declares the parameters of a list or stream, with those for members: `metadata.platform`, `not.context.source`. */
export function withMemberFilters<S extends z.ZodRawShape>(shape: S): z.ZodObject<S> {
  const object = z
    .object(shape)
    .catchall(z.unknown())
    .superRefine((query, context) => {
      const members = Object.entries(query).filter(([name]) => !Object.hasOwn(shape, name));
      for (const [name, given] of members) {
        const refuse = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
        if (!isMember(name)) context.addIssue({ code: 'unrecognized_keys', keys: [name], input: query });
        else if (members.length > maxMembers) refuse(`is one of more than ${maxMembers} members`);
        else {
          const { error } = memberValues.safeParse(given);
          if (error !== undefined) refuse(error.issues[0]!.message);
        }
      }
    });
  for (const { name, description } of memberFilters)
    openParameter(object, name, memberSchema(name, description));
  return object as unknown as z.ZodObject<S>;
}

/** The filters among the parameters of a list or stream. */
export function filtersOf(parameters: { readonly [name: string]: unknown }): EventFilters {
  const given: { [name: string]: unknown } = {};
  const not: { [name: string]: unknown } = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    const own = withoutNegation(name);
    (own === name ? given : not)[own] = parseMemberName(own) === undefined ? value : [value].flat();
  }
  return { ...given, ...(Object.keys(not).length > 0 && { not }) } as EventFilters;
}

function isMember(name: string): boolean {
  return parseMemberName(withoutNegation(name)) !== undefined;
}

function withoutNegation(name: string): string {
  return name.startsWith(negation) ? name.slice(negation.length) : name;
}

/** Each member of this object is a parameter of the request. */
function memberSchema(field: string, description: string) {
  return {
    type: 'object',
    description: `${description}. Each name is a parameter: \`${field}.platform=web\`, or \`not.${field}.platform=web\``,
    patternProperties: {
      [`^(?:not\\.)?${field}\\..`]: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 512 },
        maxItems: maxValues,
      },
    },
    additionalProperties: false,
    maxProperties: maxMembers,
  };
}

function typeOf({ field, compare, description }: FilterParameter): z.ZodType {
  if (field.type === 'timestamp') return timestamp(description);
  if (field.type === 'integer') return integer(description);
  if (field.type === 'boolean') return flag(description);
  if (field.filter?.kind === 'enum') return z.enum([...field.filter.values]).describe(description);
  if (compare === 'prefix') return dottedPrefix(description);
  return compare === 'address' ? addressRange(description) : text(description);
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

function addressRange(description: string): z.ZodType<string> {
  return z
    .string()
    .max(64)
    .refine((value) => parseIpRange(value) !== undefined, {
      message: 'must be an IPv4 or IPv6 address, or a range such as 10.0.0.0/8',
    })
    .describe(description);
}
