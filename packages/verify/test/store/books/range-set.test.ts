import { mergeRanges, type NumberRange } from '@tallystick/log';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeSet } from '../../../src/store/books/range-set.ts';

const range = fc
  .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 3 }))
  .map(([first, more]): NumberRange => [first, first + more]);

test('a set has the numbers that were added in any order, in as few ranges as possible', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 120 }), fc.array(range), (ranges, more) => {
      const set = new RangeSet();
      for (const each of ranges) set.add(each);
      expect(set.ranges).toEqual(mergeRanges(ranges));
      for (const each of more) set.add(each);
      expect(set.ranges).toEqual(mergeRanges([...ranges, ...more]));
    }),
  );
});

test('numbers in order take one range, and others are merged before they become many', () => {
  const ordered = new RangeSet();
  for (let number = 1; number <= 1_000; number++) ordered.add([number, number]);
  expect(ordered.size).toBe(1);
  const mixed = new RangeSet();
  for (let number = 1_000; number > 0; number--) mixed.add([number, number]);
  expect(mixed.size).toBeLessThan(40);
});
