import { expect, it } from 'vitest';
import { eventShape } from '../../src/schema/event.ts';
import { eventJsonSchema, toJsonSchema } from '../../src/schema/json-schema.ts';
import {
  any,
  boolean,
  closedObject,
  enumeration,
  integer,
  list,
  openObject,
  required,
  string,
} from '../../src/schema/shape.ts';

it('writes every kind of shape as JSON Schema', () => {
  const shape = closedObject({
    name: required(string({ minLength: 1, maxLength: 9, pattern: /^[a-z]+$/, description: 'A name' })),
    when: string({ format: 'timestamp' }),
    kind: enumeration(['a', 'b']),
    count: integer({ minimum: 1, maximum: 2 }),
    flag: boolean(),
    many: list(any(), { maxItems: 3 }),
    more: openObject({}),
  });
  expect(toJsonSchema(shape)).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 9, pattern: '^[a-z]+$', description: 'A name' },
      when: { type: 'string', format: 'date-time' },
      kind: { type: 'string', enum: ['a', 'b'] },
      count: { type: 'integer', minimum: 1, maximum: 2 },
      flag: { type: 'boolean' },
      many: { type: 'array', items: {}, maxItems: 3 },
      more: { type: 'object', additionalProperties: true },
    },
    required: ['name'],
    additionalProperties: false,
  });
});

it('describes the event with the same fields and the same requirements as the run-time check', () => {
  const schema = eventJsonSchema();
  expect(Object.keys(schema.properties as object)).toEqual(Object.keys(eventShape.fields));
  expect(schema.required).toEqual([
    'audit_id',
    'tenant_id',
    'timestamp',
    'event_type',
    'actor_type',
    'actor_id',
    'source_service',
  ]);
  expect(schema.additionalProperties).toBe(false);
});
