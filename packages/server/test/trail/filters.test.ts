import { type EventFilters, readFilters } from '@tallystick/event';
import { expect, test } from 'vitest';
import * as filters from '../../src/trail/filters.ts';

const conditionsOf = (given: EventFilters, first: number) => filters.conditionsOf(readFilters(given), first);
const filtersContent = (given: EventFilters) => filters.filtersContent(readFilters(given));

test('only the filters that are given become conditions, with their values as parameters', () => {
  expect(conditionsOf({}, 9)).toEqual({ sql: '', values: [] });
  const { sql, values } = conditionsOf(
    { event_type: 'alert.*', severity: 'info', is_sensitive: false, from: 'f', to: 't', ingested_to: 'i' },
    9,
  );
  expect(sql.split(/\s*\n\s*/)).toEqual([
    `and starts_with(r."event_type", $9::text)`,
    `and coalesce(r."severity", 'info') = $10::text`,
    'and r."is_sensitive" = $11::boolean',
    'and r."timestamp" >= $12::timestamptz',
    'and r."timestamp" < $13::timestamptz',
    'and r."ingested_at" < $14::timestamptz',
  ]);
  expect(values).toEqual(['alert.', 'info', false, 'f', 't', 'i']);
});

test('several values mean any of them, and a negation also lets an event pass that lacks the field', () => {
  const { sql, values } = conditionsOf(
    {
      severity: ['info', 'critical'],
      event_type: ['alert.*', 'auth.login'],
      actor: ['user:maria', 'arn:aws:iam'],
      not: { target_id: 'x', actor: 'agent:bot', event_type: ['a.*', 'b.*'] },
    },
    1,
  );
  expect(sql.split(/\s*\n\s*/)).toEqual([
    'and (starts_with(r."event_type", $1::text) or r."event_type" = $2::text)',
    `and coalesce(r."severity", 'info') = any ($3::text[])`,
    'and ((r."actor_id" = $4::text and r."actor_type" = $5::text) or r."actor_id" = $6::text)',
    'and ((starts_with(r."event_type", $7::text) or starts_with(r."event_type", $8::text))) is not true',
    'and ((r."actor_id" = $9::text and r."actor_type" = $10::text)) is not true',
    'and (r."target_id" = $11::text) is not true',
  ]);
  expect(values).toEqual([
    'alert.',
    'auth.login',
    ['info', 'critical'],
    'maria',
    'user',
    'arn:aws:iam',
    'a.',
    'b.',
    'bot',
    'agent',
    'x',
  ]);
});

test('what no column holds reaches no SQL', () => {
  const filters = { source_ip: '10.0.0.1', entity_ids: 'x', 'metadata.a': 'b', not: { on_behalf_of: 'c' } };
  expect(conditionsOf(filters, 1)).toEqual({ sql: '', values: [] });
  expect(filtersContent(filters)).toBe(true);
});

test('a whole type is compared, a prefix ends at its dot', () => {
  expect(conditionsOf({ event_type: 'alert.raised' }, 1)).toEqual({
    sql: 'and r."event_type" = $1::text',
    values: ['alert.raised'],
  });
});

test('sequence numbers are left to the page', () => {
  expect(conditionsOf({ sequence_from: 3, sequence_to: 4 }, 1)).toEqual({ sql: '', values: [] });
});

test('an unknown name in the filters reaches no SQL', () => {
  const forged = { "x' or true --": 'x', actor_id: "' or true --" } as EventFilters;
  const { sql, values } = conditionsOf(forged, 1);
  expect([sql, values]).toEqual(['and r."actor_id" = $1::text', ["' or true --"]]);
});

test('filters over content are those that a redacted record would betray', () => {
  expect(filtersContent({ is_sensitive: true, ingested_from: 'x', sequence_from: 1 })).toBe(false);
  for (const filters of [{ event_type: 'a.b' }, { severity: 'info' }, { from: 'x' }, { to: 'x' }]) {
    expect(filtersContent(filters)).toBe(true);
  }
});
