import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/timing/backoff.ts';

const bounds = { baseMs: 25, maxMs: 3_000 };

test('the upper bound doubles with each attempt until it reaches the maximum', () => {
  const upper = (attempt: number) => backoffMs(attempt, bounds, () => 1);
  expect([0, 1, 2, 3, 6, 7, 100, 5_000].map(upper)).toEqual([25, 50, 100, 200, 1_600, 3_000, 3_000, 3_000]);
});

test('a pause is never shorter than half of its upper bound', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const upper = backoffMs(attempt, bounds, () => 1);
      const pause = backoffMs(attempt, bounds, () => random);
      expect(pause).toBeGreaterThanOrEqual(upper / 2);
      expect(pause).toBeLessThan(upper);
    }),
  );
});
