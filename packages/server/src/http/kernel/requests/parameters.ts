import { parseTimestamp, tenantIdPattern, uuidPattern } from '@tallystick/event';
import * as z from 'zod';
import { storable } from '../../../ingest/admit/delivery.ts';

/**
 * JSON Schemas of parameters for the OpenAPI document. A query carries every parameter as text, and zod would document it as
 * text; clients should see integers, booleans and times.
 */
const schemas = new WeakMap<z.ZodType, { readonly [keyword: string]: unknown }>();

/** The documented schema of a parameter, also behind `optional()` and `default()`; `undefined`: zod's own is right. */
export function parameterSchema(type: z.ZodType): { readonly [keyword: string]: unknown } | undefined {
  if (type instanceof z.ZodOptional) return parameterSchema(type.unwrap() as z.ZodType);
  if (type instanceof z.ZodDefault) {
    const inner = parameterSchema(type.unwrap() as z.ZodType);
    return inner === undefined ? undefined : { ...inner, default: type.def.defaultValue };
  }
  return schemas.get(type);
}

/** Most values of a parameter that may be given several times. */
export const maxValues = 50;

/** A parameter that may be given several times: a list of the values. */
export function anyOf<T>(type: z.ZodType<T>, description: string): z.ZodType<readonly T[]> {
  const list = z
    .unknown()
    .transform((given, context) => {
      const values = [given].flat();
      if (values.length > maxValues) {
        context.addIssue({ code: 'custom', message: `must have at most ${maxValues} values` });
        return z.NEVER;
      }
      const read = values.map((value) => type.safeParse(value));
      const refused = read.find(({ error }) => error !== undefined);
      // The place of the value in the list says nothing to the client: the issue is the parameter's.
      for (const issue of refused?.error?.issues ?? []) context.addIssue({ ...issue, path: [] } as never);
      return read.flatMap(({ data }) => (data === undefined ? [] : [data]));
    })
    .describe(description);
  const { description: _, ...items } = (parameterSchema(type) ?? z.toJSONSchema(type)) as {
    description?: string;
  };
  return documented(list, {
    type: 'array',
    items: withoutSchemaName(items),
    maxItems: maxValues,
    description,
  });
}

function withoutSchemaName({ $schema: _, ...schema }: { readonly [keyword: string]: unknown }) {
  return schema;
}

/** A set of parameters whose names the schema describes: each member of the object is one. */
interface OpenParameter {
  readonly name: string;
  readonly schema: { readonly [keyword: string]: unknown };
}

const openParameters = new WeakMap<z.ZodType, OpenParameter[]>();

/** Documents a set of parameters with names that the client chooses. */
export function openParameter(
  parameters: z.ZodType,
  name: string,
  schema: { readonly [keyword: string]: unknown },
): void {
  openParameters.set(parameters, [...openParametersOf(parameters), { name, schema }]);
}

export function openParametersOf(parameters: z.ZodType): readonly OpenParameter[] {
  return openParameters.get(parameters) ?? [];
}

/** Documents a parameter by a JSON Schema of its own. */
export function documented<T extends z.ZodType>(type: T, schema: { readonly [keyword: string]: unknown }): T {
  schemas.set(type, schema);
  return type;
}

/** A non-negative integer in decimal notation. */
export function integer(description: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = {}) {
  const message = `must be an integer from ${minimum} to ${maximum}`;
  const type = z
    .string()
    .regex(/^(?:0|[1-9]\d{0,15})$/, { message, abort: true })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { message })
    .describe(description);
  return documented(type, { type: 'integer', minimum, maximum, description });
}

/** `true` or `false`. */
export function flag(description: string) {
  const type = z
    .enum(['true', 'false'], { message: 'must be true or false' })
    .transform((text) => text === 'true')
    .describe(description);
  return documented(type, { type: 'boolean', description });
}

/** A text of 1 to 512 characters that the store can hold. */
export function text(description: string) {
  return storable(512).describe(description);
}

/** Whether a text is an RFC 3339 time in UTC, as in events, from the year 1 to the year 9999. */
export function isTimestamp(value: string): boolean {
  return !Number.isNaN(parseTimestamp(value));
}

/** The answer to a time that {@link isTimestamp} refuses. */
export const timestampMessage =
  'must be an RFC 3339 time in UTC that ends with Z, and the year must be 0001 to 9999';

/** RFC 3339 in UTC, as in events. */
export function timestamp(description: string) {
  const type = z.string().refine(isTimestamp, { message: timestampMessage }).describe(description);
  return documented(type, { type: 'string', format: 'date-time', description });
}

/** A UUID in lower case. */
export const uuid = (description: string) =>
  z.string().regex(uuidPattern, { message: 'must be a lower-case UUID' }).describe(description);

/** A tenant in a path, where it is always given. */
export const tenantIdInPath = z
  .string()
  .regex(tenantIdPattern, { message: 'must be a tenant id' })
  .describe('Id of the tenant');

/** A tenant in a query or a body. */
export const tenantId = z
  .string()
  .regex(tenantIdPattern, { message: 'must be a tenant id' })
  .describe('Id of the tenant. May be omitted if the API key is for exactly one tenant');

/** Page size. */
export const limit = (maximum: number, standard: number) =>
  integer('Most items per page', { minimum: 1, maximum }).default(standard);

/** Where a page begins. */
export const cursor = z.string().min(1).max(1_024).describe('`next_cursor` of the previous page, unchanged');
