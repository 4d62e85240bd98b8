import { expect, test } from 'vitest';
import { duration, usd } from '../../src/timeline/texts.ts';

test.each([
  [0, '0 ms'],
  [0.179, '0.2 ms'],
  [12, '12 ms'],
  [3_600, '3.60 s'],
  [125_000, '2 m 5 s'],
  [11_520_000, '3 h 12 m'],
  [349_200_000, '4 d 1 h'],
])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, '$0.00'],
  [0.000542, '$0.000542'],
  [1.5, '$1.50'],
  [12, '$12.00'],
])('%d dollars are %s', (amount, text) => {
  expect(usd(amount)).toBe(text);
});
