import { expect, test } from 'vitest';
import { prefersChained } from '../../../../src/http/kernel/requests/prefer.ts';

test.each([
  ['chained', true],
  ['Chained', true],
  [' respond-async ,\tchained', true],
  ['chained; wait=2', true],
  ['wait=10, handling=lenient', false],
  ['chained=no', false],
  ['unchained', false],
  ['return=minimal; chained', false],
  ['', false],
  [undefined, false],
])('Prefer: %s', (prefer, expected) => {
  expect(prefersChained({ prefer })).toBe(expected);
});

test('a header of any form takes linear time', () => {
  expect(prefersChained({ prefer: '\\"'.repeat(1_000_000) })).toBe(false);
});
