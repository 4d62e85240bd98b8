import type { TestContext } from 'vitest';

/**
 * For a test that needs something that not every machine has, and this one has not: skips it, in sight and aloud. With
 * `REQUIRE_ALL=1` it fails.
 */
export function skipWithout({ task, skip }: TestContext, part: string, howToGet: string): never {
  const why = `this machine has no ${part} (${howToGet})`;
  if (process.env.REQUIRE_ALL === '1') throw new Error(`REQUIRE_ALL=1, but ${why}`);
  console.warn(`\n*** NOT RUN: "${task.name}": ${why}. ***\n`);
  return skip(why);
}
