import type { TestContext } from 'vitest';

/**
 * Skips a test that needs something that this machine does not have, and prints a warning. With `REQUIRE_ALL=1` the test fails.
 */
export function skipWithout({ task, skip }: TestContext, part: string, howToGet: string): never {
  const why = `this machine has no ${part} (${howToGet})`;
  if (process.env.REQUIRE_ALL === '1') throw new Error(`REQUIRE_ALL=1, but ${why}`);
  console.warn(`\n*** NOT RUN: "${task.name}": ${why}. ***\n`);
  return skip(why);
}
