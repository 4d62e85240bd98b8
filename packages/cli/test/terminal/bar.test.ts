import { expect, test } from 'vitest';
import { bar } from '../../src/terminal/bar.ts';

test.each([
  [8, 8, 2, '██'],
  [4, 8, 2, '█'],
  [5, 8, 2, '█▎'],
  [1, 1_000_000, 10, '▏'],
  [0, 8, 10, ''],
  [9, 8, 2, '██'],
  [-1, 8, 2, ''],
  [Number.NaN, 8, 2, ''],
  [1, 0, 2, ''],
])('%s of %s in %s columns', (value, largest, width, expected) => {
  expect(bar(value, largest, width)).toBe(expected);
});
