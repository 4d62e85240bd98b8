import { expect, test } from 'vitest';
import { drawFault, roundRandom } from './draw.ts';
import { faults } from './faults.ts';

const names = Object.keys(faults);

test.each([0, 1, 2 ** 31 - 1])('with seed %i, 200 rounds bring every fault at least five times', (seed) => {
  const counts = new Map<string, number>();
  for (let round = 0; round < 200; round++) {
    const name = drawFault(names, seed, round);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const name of names) expect(counts.get(name), name).toBeGreaterThanOrEqual(5);
});

test('different seeds give different faults and numbers', () => {
  const row = (seed: number) =>
    Array.from({ length: 30 }, (_, round) => [
      drawFault(names, seed, round),
      roundRandom(seed, round)(0, 1e9),
    ]);
  expect(row(7)).toEqual(row(7));
  expect(row(7)).not.toEqual(row(8));
  expect(new Set(row(7).map(([, number]) => number)).size).toBe(30);
});
