/** A JSON schema. */
export type Schema = { readonly [keyword: string]: unknown };

export const text = { type: 'string' };
export const count = { type: 'integer', minimum: 0 };
export const amount = { type: 'number', minimum: 0 };

/** An object with these members and no other ones. */
export function object(
  required: { readonly [name: string]: Schema },
  optional: { readonly [name: string]: Schema } = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

export function list(items: Schema, description?: string): Schema {
  return { type: 'array', items, ...(description !== undefined && { description }) };
}
