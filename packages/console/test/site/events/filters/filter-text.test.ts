import { expect, it } from 'vitest';
import { readFilterText, searchForBoth } from '../../../../src/site/events/filters/filter-text.ts';

it('reads fields, negations, quotes and paths', () => {
  expect(
    readFilterText(' actor_id:jane -event_type:auth.*  target_id:"post 17" metadata.platform:web '),
  ).toEqual({
    conditions: [
      { field: 'actor_id', negated: false, values: ['jane'] },
      { field: 'event_type', negated: true, values: ['auth.*'] },
      { field: 'target_id', negated: false, values: ['post 17'] },
      { field: 'metadata.platform', negated: false, values: ['web'] },
    ],
  });
  expect(readFilterText('source_ip:2001:db8::/32')).toEqual({
    conditions: [{ field: 'source_ip', negated: false, values: ['2001:db8::/32'] }],
  });
  expect(readFilterText('')).toEqual({ conditions: [] });
});

it('takes the parts that name no field as a search', () => {
  expect(
    readFilterText('login actor_id:jane "no such host" -success 10.0.0.0/8 https://a.example/b'),
  ).toEqual({
    conditions: [{ field: 'actor_id', negated: false, values: ['jane'] }],
    q: 'login "no such host" -success 10.0.0.0/8 https://a.example/b',
  });
  expect(readFilterText('"colour:red" -"a \\" b"')).toEqual({ conditions: [], q: '"colour:red" -"a \\" b"' });
  expect(readFilterText('"never closed')).toEqual({ conditions: [], q: '"never closed' });
});

it.each([
  'delet* OR outcome_status:denied',
  'actor_id:jane (login OR -"a b")',
  'actor_id:jane -(login logout)',
])('takes all of %s as a search: its fields are parts of alternatives', (text) =>
  expect(readFilterText(` ${text} `)).toEqual({ conditions: [], q: text }),
);

it('takes OR as a word where it is quoted or part of another', () => {
  const q = '"OR" or ORDER call(x)';
  expect(readFilterText(`actor_id:jane ${q}`)).toMatchObject({ conditions: [{ field: 'actor_id' }], q });
});

it('says what is wrong', () => {
  const complaintOf = (text: string) => (readFilterText(text) as { complaint?: string }).complaint;
  expect(complaintOf('colour:red')).toMatch(/^There is no field “colour” .* in quotes/);
  expect(complaintOf('actor_id:""')).toMatch(/^The filter actor_id needs a value/);
  expect(complaintOf('actor_id: jane')).toMatch(/^The filter actor_id needs a value/);
  expect(complaintOf('x OR '.repeat(150))).toMatch(/512 characters at most/);
  expect(complaintOf('x '.repeat(300))).toMatch(/512 characters at most/);
});

it('adds a search to another one', () => {
  expect(searchForBoth(undefined, undefined)).toBe('');
  expect(searchForBoth('a OR b', undefined)).toBe('a OR b');
  expect(searchForBoth('a', '-b')).toBe('a -b');
  expect(searchForBoth('a OR b', 'c')).toBe('(a OR b) c');
  expect(searchForBoth('a', 'b OR c')).toBe('a (b OR c)');
});
