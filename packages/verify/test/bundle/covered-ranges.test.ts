import { expect, test } from 'vitest';
import { plain, some } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { CoveredRanges } from '../../src/bundle/covered-ranges.ts';
import { verify } from '../fixture.ts';

const rangesOf = (positions: readonly number[], size: number) => {
  const ranges = new CoveredRanges();
  for (const position of positions) ranges.add(position);
  return ranges.report(size);
};

test('a part has its own verdict, and says first what it covers and what is missing', async () => {
  const report = await verify(some);
  expect(report).toMatchObject({ verdict: 'verified_partial', covered_to: 4, missing_records: 2 });
  expect(Object.keys(report).slice(0, 3)).toEqual(['verdict', 'covered', 'missing']);
  expect(report.covered).toEqual([
    [1, 1],
    [3, 4],
  ]);
  expect(report.missing).toEqual([
    [0, 0],
    [2, 2],
  ]);
  expect(await verify(plain)).not.toHaveProperty('covered');
  expect(await verify(some, { keys: [] })).not.toHaveProperty('covered');
});

test('the ranges are joined and add up', () => {
  expect(rangesOf([0, 1, 2], 3)).toEqual({ covered: [[0, 2]], missing: [], missing_records: 0 });
  expect(rangesOf([], 3)).toEqual({ covered: [], missing: [[0, 2]], missing_records: 3 });
  expect(rangesOf([5, 5, 4, 6], 9)).toEqual({
    covered: [[5, 6]],
    missing: [
      [0, 4],
      [7, 8],
    ],
    missing_records: 7,
  });
});

test('a thousand ranges are listed, and all records are counted', () => {
  const every = Array.from({ length: 5_000 }, (_, at) => 2 * at + 1);
  const { covered, missing, missing_records } = rangesOf(every, 10_000);
  expect([covered.length, missing.length, missing_records]).toEqual([1_000, 1_000, 5_000]);
  expect([covered.at(-1), missing.at(-1)]).toEqual([
    [1_999, 1_999],
    [1_998, 1_998],
  ]);
});
