import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRanges } from '../../src/chain/account-rows.ts';
import type { Range } from '../../src/chain/accounting.ts';

describe('mergeRanges', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 }))
    .map(([first, more]): Range => [first, first + more]);

  test('returns the same numbers, in separate ascending ranges', () => {
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const numbers = (of: readonly Range[]) =>
          new Set(of.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, at) => a + at)));
        const merged = mergeRanges(ranges);
        expect([...numbers(merged)].sort((a, b) => a - b)).toEqual(
          [...numbers(ranges)].sort((a, b) => a - b),
        );
        for (const [at, [first]] of merged.entries())
          if (at > 0) expect(first).toBeGreaterThan(merged[at - 1]![1] + 1);
      }),
    );
  });
});
