import { Command } from 'commander';
import { expect, test } from 'vitest';
import {
  addFilterOptions,
  type FilterOptions,
  filtersOf,
} from '../../../src/commands/options/filter-options.ts';

const now = Date.parse('2026-03-08T12:00:00.000Z');

function parse(...args: string[]) {
  const command = addFilterOptions(
    new Command('events').exitOverride().configureOutput({ writeErr: () => {} }),
  );
  command.parse(args, { from: 'user' });
  return filtersOf(command.opts<FilterOptions>(), now);
}

test('a filter that is given twice is a list of both values', () => {
  expect(
    parse('--actor', 'user:maria', '--actor', 'agent:bot', '--actor-id', 'x', '--severity', 'info'),
  ).toEqual({
    actor: ['user:maria', 'agent:bot'],
    actor_id: ['x'],
    severity: ['info'],
  });
});

test('a time is an age, with or without a sign', () => {
  const from = '2026-03-01T12:00:00.000Z';
  expect(parse('--from', '7d')).toEqual({ from });
  expect(parse('--from', '-7d', '--to', '0m')).toEqual({ from, to: '2026-03-08T12:00:00.000Z' });
  expect(parse('--from', from)).toEqual({ from });
});

test('a member has a path and a value, which may contain any signs', () => {
  expect(parse('--metadata', 'platform=web', '--metadata', 'platform=ios', '--context', 'a.b=c=d')).toEqual({
    'metadata.platform': ['web', 'ios'],
    'context.a.b': ['c=d'],
  });
});

test('a negation names an option or a member', () => {
  expect(
    parse(
      '--not',
      'type=auth.*',
      '--not',
      'type=a.b',
      '--not',
      '--actor-type=agent',
      '--not',
      'metadata.platform=web',
    ),
  ).toEqual({
    not: { event_type: ['auth.*', 'a.b'], actor_type: ['agent'], 'metadata.platform': ['web'] },
  });
});

test.each([
  ['--metadata', 'platform'],
  ['--metadata', '=web'],
  ['--metadata', 'platform='],
  ['--not', 'actor'],
  ['--not', 'actor='],
  ['--not', 'from=7d'],
  ['--not', 'colour=red'],
  ['--not', 'severity=loud'],
  ['--not', 'metadata=web'],
  ['--severity', 'loud'],
  ['--outcome', 'success,failure'],
])('%s %s is refused', (...args) => {
  expect(() => parse(...args)).toThrow(/It must be|Allowed choices/);
});
