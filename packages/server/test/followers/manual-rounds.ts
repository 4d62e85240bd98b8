import { until } from '@tallystick/testing';
import { afterEach, expect } from 'vitest';
import type { Follower } from '../../src/followers/follower.ts';
import { Followers, type FollowersOptions } from '../../src/followers/followers.ts';
import type { Database } from '../../src/store/database.ts';

/**
 * Followers without timers: the test runs their rounds. They are closed after each test of the suite that calls this.
 *
 * @param mayReport whether tests provoke errors in the background. Otherwise such an error fails its test
 */
export function manualFollowers({ mayReport = false } = {}) {
  const opened: Followers[] = [];
  const errors: unknown[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((followers) => followers.close()));
    const reported = errors.splice(0);
    if (!mayReport) expect(reported).toEqual([]);
  });
  const run = (database: Database, followers: readonly Follower[], options: FollowersOptions = {}) => {
    const running = new Followers(database, followers, { tickMs: 3_600_000, ...options }, (_, error) =>
      errors.push(error),
    );
    opened.push(running);
    return running;
  };
  return { run, errors };
}

/** Runs rounds until a condition holds. */
export async function rounds(
  running: Followers | readonly Followers[],
  condition: () => Promise<boolean>,
): Promise<void> {
  await until(
    async () => {
      for (const each of [running].flat()) {
        each.mergeSoon();
        await each.round();
      }
      return await condition();
    },
    { timeoutMs: 30_000, intervalMs: 20 },
  );
}
