import * as z from 'zod';
import { parameterSchema } from '../kernel/requests/parameters.ts';
import { componentNames } from './component.ts';

type Json = { [member: string]: unknown };

/** Replaces the zod types inside a JSON Schema with their own JSON Schemas. */
export function resolve(schema: unknown, components: Json, io: 'input' | 'output'): unknown {
  if (schema instanceof z.ZodType) return toSchema(schema, components, io);
  if (Array.isArray(schema)) return schema.map((member) => resolve(member, components, io));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, member]) => [key, resolve(member, components, io)]),
  );
}

/**
 * The JSON Schema of a zod type. A named type is added to `components` once, and the result refers to it.
 *
 * @param io whether the schema describes what a client sends, or what the service answers
 */
export function toSchema(type: z.ZodType, components: Json, io: 'input' | 'output'): Json {
  const name = componentNames.get(type)?.id;
  const {
    $schema: _,
    $defs,
    id: __,
    ...schema
  } = z.toJSONSchema(type, {
    target: 'draft-2020-12',
    io,
    metadata: componentNames,
    unrepresentable: 'any',
    // Names are in the registry given above, descriptions in zod's global one.
    override: ({ zodSchema, jsonSchema }) => {
      // Of a type that zod can't describe.
      if (zodSchema instanceof z.ZodCustom) Object.assign(jsonSchema, parameterSchema(zodSchema));
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) jsonSchema.description = description;
    },
  }) as Json & { $defs?: Json };
  for (const [id, definition] of Object.entries($defs ?? {})) {
    const { id: ___, ...rest } = definition as Json;
    components[id] ??= relocate(rest);
  }
  const own = relocate(schema) as Json;
  if (name === undefined) return own;
  components[name] ??= own;
  return { $ref: `#/components/schemas/${name}` };
}

/** Changes references into zod's `$defs` to references into the document's components. */
function relocate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocate);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [
    key,
    key === '$ref' && typeof member === 'string'
      ? member.replace('#/$defs/', '#/components/schemas/')
      : relocate(member),
  ]);
  return Object.fromEntries(entries);
}
