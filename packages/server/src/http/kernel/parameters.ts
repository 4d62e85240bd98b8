import { parseTimestamp, tenantIdPattern, uuidPattern } from '@tallystick/event';
import * as z from 'zod';

/** JSON Schema of a parameter as a client sees it: on the wire all are text, and zod's own output would say so. */
const schemas = new WeakMap<z.ZodType, { readonly [keyword: string]: unknown }>();

/** The documented schema of a parameter, through `optional()` and `default()`; `undefined` for zod's own. */
export function parameterSchema(type: z.ZodType): { readonly [keyword: string]: unknown } | undefined {
  if (type instanceof z.ZodOptional) return parameterSchema(type.unwrap() as z.ZodType);
  if (type instanceof z.ZodDefault) {
    const inner = parameterSchema(type.unwrap() as z.ZodType);
    return inner === undefined ? undefined : { ...inner, default: type.def.defaultValue };
  }
  return schemas.get(type);
}

function documented<T extends z.ZodType>(type: T, schema: { readonly [keyword: string]: unknown }): T {
  schemas.set(type, schema);
  return type;
}

/** A non-negative integer, written in decimal without anything else. */
export function integer(description: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = {}) {
  const message = `must be an integer in ${minimum} to ${maximum}`;
  const type = z
    .string()
    .regex(/^(?:0|[1-9]\d{0,15})$/, { message, abort: true })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { message })
    .describe(description);
  return documented(type, { type: 'integer', minimum, maximum, description });
}

export function flag(description: string) {
  const type = z
    .enum(['true', 'false'], { message: 'must be true or false' })
    .transform((text) => text === 'true')
    .describe(description);
  return documented(type, { type: 'boolean', description });
}

export function text(description: string) {
  return z.string().min(1).max(512).describe(description);
}

/** RFC 3339 in UTC, as in events. */
export function timestamp(description: string) {
  const type = z
    .string()
    .refine((value) => !Number.isNaN(parseTimestamp(value)), { message: 'must be RFC 3339 in UTC, with Z' })
    .describe(description);
  return documented(type, { type: 'string', format: 'date-time', description });
}

export const uuid = (description: string) =>
  z.string().regex(uuidPattern, { message: 'must be a lower-case UUID' }).describe(description);

export const tenantId = z
  .string()
  .regex(tenantIdPattern, { message: 'must be a tenant id' })
  .describe('The tenant. May be left out with a key of one tenant');

export const limit = (maximum: number, standard: number) =>
  integer('Most items of the page', { minimum: 1, maximum }).default(standard);

export const cursor = z.string().min(1).max(1_024).describe('`next_cursor` of the page before, unchanged');
