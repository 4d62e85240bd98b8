import { describe, expect, it } from 'vitest';
import { columnCost, estimateRest, termsCost } from '../../src/trail/path-costs.ts';

const chain = 5_000_000;
/** The rest of a page of 100 after 256 rows of a column's index. */
const rest = (perBlock: number, found: number) =>
  estimateRest({
    compared: 256,
    found,
    passed: Math.round((256 * 4_096) / perBlock),
    left: chain,
    missing: 101 - found,
  });
const isColumnCheaper = (perBlock: number, found: number) => {
  const estimate = rest(perBlock, found);
  return columnCost(estimate) <= termsCost(estimate.records / 4_096);
};

describe('the estimate of the rest of a page', () => {
  it('is bounded by the rows that the chain has, and by those that fill the page', () => {
    expect(rest(2, 0).rows).toBeCloseTo((2 * chain) / 4_096, -1);
    expect(rest(200, 64)).toMatchObject({ rows: 37 * 4 });
    expect(estimateRest({ compared: 0, found: 0, passed: 9_000, left: 500, missing: 9 })).toEqual({
      rows: 0,
      records: 500,
    });
  });

  it('prefers the column where its value is rare, or most of its rows match', () => {
    expect(isColumnCheaper(2, 12)).toBe(true);
    expect(isColumnCheaper(2, 0)).toBe(true);
    expect(isColumnCheaper(270, 64)).toBe(true);
    // A frequent value whose rows seldom match: 250,000 rows, or 1,000 blocks.
    expect(isColumnCheaper(270, 0)).toBe(false);
    expect(isColumnCheaper(40, 2)).toBe(false);
  });
});
