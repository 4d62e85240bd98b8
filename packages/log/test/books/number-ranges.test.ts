import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeRanges, type NumberRange, subtractRanges } from '../../src/books/number-ranges.ts';

const range = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 }))
  .map(([first, more]): NumberRange => [first, first + more]);

const numbersOf = (ranges: readonly NumberRange[]) =>
  new Set(ranges.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, at) => a + at)));
const ascending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

function expectSeparate(ranges: readonly NumberRange[]): void {
  for (const [at, [first]] of ranges.entries())
    if (at > 0) expect(first).toBeGreaterThan(ranges[at - 1]![1] + 1);
}

test('merged ranges have the same numbers, and are separate and ascending', () => {
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const merged = mergeRanges(ranges);
      expect(ascending(numbersOf(merged))).toEqual(ascending(numbersOf(ranges)));
      expectSeparate(merged);
    }),
  );
});

test('a difference has the numbers that only the first ranges have', () => {
  fc.assert(
    fc.property(fc.array(range), fc.array(range), (ranges, others) => {
      const left = subtractRanges(mergeRanges(ranges), mergeRanges(others));
      const without = numbersOf(others);
      const expected = [...numbersOf(ranges)].filter((number) => !without.has(number));
      expect(ascending(numbersOf(left))).toEqual(ascending(expected));
      expectSeparate(left);
    }),
  );
});
