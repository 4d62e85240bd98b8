import { seededRandom } from '../crash/seeded-random.ts';

/** Whole numbers from `low` to `high`, both included. */
export type Random = (low: number, high: number) => number;

/**
 * The fault of a round. Faults are drawn from a bag that is refilled when it is empty, so that each comes equally often. The
 * draw depends only on seed and round, so that a campaign can begin at any round.
 */
export function drawFault<F>(faults: readonly F[], seed: number, round: number): F {
  const bag = [...faults];
  const random = seededRandom(mix(seed, Math.floor(round / bag.length)));
  for (let last = bag.length - 1; last > 0; last--) {
    const other = random(0, last);
    [bag[last], bag[other]] = [bag[other]!, bag[last]!];
  }
  return bag[round % bag.length]!;
}

/** Random numbers for the choices within a round. */
export function roundRandom(seed: number, round: number): Random {
  return seededRandom(mix(seed, round + 1_000_003));
}

/** Spreads seeds: those that differ by one would give similar random numbers. */
function mix(seed: number, salt: number): number {
  return Math.imul(seed ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b) | 0;
}
