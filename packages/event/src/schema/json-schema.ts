import { eventShape } from './event.ts';
import type { Shape } from './shape.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { [keyword: string]: unknown };

/** The JSON Schema of a shape, for OpenAPI and for other languages. */
export function toJsonSchema(shape: Shape): JsonSchema {
  const described = shape.description === undefined ? {} : { description: shape.description };
  switch (shape.kind) {
    case 'string':
      return {
        type: 'string',
        ...(shape.minLength !== undefined && { minLength: shape.minLength }),
        ...(shape.maxLength !== undefined && { maxLength: shape.maxLength }),
        ...(shape.pattern !== undefined && { pattern: shape.pattern.source }),
        ...(shape.format !== undefined &&
          shape.format !== 'ip' && { format: shape.format === 'timestamp' ? 'date-time' : shape.format }),
        ...described,
      };
    case 'enum':
      return { type: 'string', enum: [...shape.values], ...described };
    case 'number':
    case 'integer':
      return {
        type: shape.kind,
        ...(shape.minimum !== undefined && { minimum: shape.minimum }),
        ...(shape.maximum !== undefined && { maximum: shape.maximum }),
        ...described,
      };
    case 'boolean':
      return { type: 'boolean', ...described };
    case 'list':
      return {
        type: 'array',
        items: toJsonSchema(shape.items),
        ...(shape.maxItems !== undefined && { maxItems: shape.maxItems }),
        ...described,
      };
    case 'object': {
      const names = Object.keys(shape.fields);
      const needed = names.filter((name) => shape.fields[name]!.required === true);
      return {
        type: 'object',
        ...(names.length > 0 && {
          properties: Object.fromEntries(names.map((name) => [name, toJsonSchema(shape.fields[name]!)])),
        }),
        ...(needed.length > 0 && { required: needed }),
        additionalProperties: shape.open,
        ...described,
      };
    }
    case 'any':
      return described;
  }
}

/** The JSON Schema of an audit event. */
export function eventJsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'AuditEvent',
    ...toJsonSchema(eventShape),
  };
}
