import { expect, test } from 'vitest';
import { memberValues } from '../../src/fields/member-values.ts';

test('values have the path of their names, and elements the path of their list', () => {
  const object = JSON.parse(
    '{"a":{"b":1.50,"c":[true,{"d":null}]},"a.b":"x","__proto__":{"e":"y"},"f":{},"g":[]}',
  );
  expect(memberValues(object)).toEqual([
    ['a.b', '1.5'],
    ['a.c', 'true'],
    ['a.c.d', 'null'],
    ['a.b', 'x'],
    ['__proto__.e', 'y'],
  ]);
});

test('what is no object has no members, and a bound ends the reading', () => {
  for (const value of [undefined, null, 'text', 7, ['a']]) expect(memberValues(value)).toEqual([]);
  expect(memberValues({ list: Array.from({ length: 100_000 }, (_, at) => at) }, 10)).toHaveLength(10);
});
