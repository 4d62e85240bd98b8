import { expect, test } from 'vitest';
import { eventFields, fieldValue, type IndexedField, indexedFields } from '../../src/fields/fields.ts';
import { filterParameters } from '../../src/fields/filters.ts';
import { eventShape } from '../../src/schema/event.ts';
import type { ObjectShape, Shape } from '../../src/schema/shape.ts';

/** The declaration of what lies at a path in the event's shape. */
function shapeAt(path: readonly string[]): Shape | undefined {
  return path.reduce<Shape | undefined>(
    (shape, name) => (shape as ObjectShape | undefined)?.fields[name],
    eventShape,
  );
}

test.each(eventFields.map((field: IndexedField) => [field.name, field] as const))(
  '%s is declared in the event as the table says',
  (_, { path, type, nullable, filter }) => {
    const shape = shapeAt(path!)!;
    const isRequired = path!.length === 1 && shape.required === true;
    // Absent means false, so its column is never null.
    expect(nullable ?? false).toBe(type !== 'boolean' && !isRequired);
    expect(type === 'boolean').toBe(shape.kind === 'boolean');
    expect(type === 'timestamp').toBe(shape.kind === 'string' && shape.format === 'timestamp');
    if (filter?.kind === 'enum') expect(shape).toMatchObject({ kind: 'enum', values: filter.values });
    else expect(shape.kind).not.toBe('enum');
  },
);

test('names, parameters and options are each used once', () => {
  for (const names of [
    indexedFields.map(({ name }) => name),
    filterParameters.map(({ name }) => name),
    filterParameters.flatMap(({ option }) => option ?? []),
  ]) {
    expect(names).toEqual([...new Set(names)]);
  }
});

test('every indexed field of an event but its identity can be filtered by, with a description for readers', () => {
  const filtered = new Set(filterParameters.map(({ field }) => field.name));
  expect(indexedFields.filter(({ name }) => !filtered.has(name)).map(({ name }) => name)).toEqual([
    'audit_id',
  ]);
  for (const { description } of filterParameters) expect(description).toMatch(/^[A-Z].*[^.]$/);
});

test('values are found by their paths, and a forged event gives undefined instead of an error', () => {
  const event = { actor_id: 'ann', outcome: { outcome_status: 'denied' } };
  expect(fieldValue(event, 'actor_id')).toBe('ann');
  expect(fieldValue(event, 'outcome_status')).toBe('denied');
  for (const outcome of [undefined, null, 'denied', 7, []]) {
    expect(fieldValue({ outcome }, 'outcome_status')).toBeUndefined();
  }
});
