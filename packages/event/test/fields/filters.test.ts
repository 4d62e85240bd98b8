import { expect, test } from 'vitest';
import { type EventFilters, parseMemberName, readFilters } from '../../src/fields/filters.ts';

const read = (filters: EventFilters) =>
  readFilters(filters).map(({ parameter, path, negated, values }) => [
    negated ? `not ${parameter.name}` : parameter.name,
    ...(path === undefined ? [] : [path]),
    values,
  ]);

test('conditions are read in the order of the table, then the members, then the negations', () => {
  expect(
    read({
      'metadata.a.b': 'x',
      severity: ['info', 'critical'],
      from: 't',
      event_type: 'a.b',
      not: { is_sensitive: true, 'context.c': ['y', 'z'] },
    }),
  ).toEqual([
    ['event_type', ['a.b']],
    ['severity', ['info', 'critical']],
    ['from', ['t']],
    ['metadata', 'a.b', ['x']],
    ['not is_sensitive', [true]],
    ['not context', 'c', ['y', 'z']],
  ]);
});

test('what is absent, empty, unknown or of another type is no condition', () => {
  const forged = {
    severity: undefined,
    actor_id: [],
    colour: 'red',
    target_id: {},
    metadata: 'x',
    'decision.a': 'x',
  };
  expect(read(forged as unknown as EventFilters)).toEqual([]);
});

test('the name of a member has a field that has members, and a path', () => {
  expect(parseMemberName('metadata.a.b')?.path).toBe('a.b');
  for (const name of [
    'metadata',
    'metadata.',
    '.a',
    'decision.a',
    'severity.a',
    `metadata.${'x'.repeat(257)}`,
  ])
    expect(parseMemberName(name)).toBeUndefined();
});
