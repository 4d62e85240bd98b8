import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const minute = 60_000;
const hour = 60 * minute;

/**
 * The month ends while events flow. Everybody's clock is moved to shortly before its end; some time after it, three hours
 * are skipped too, so that new events are dated where the writer looks for duplicates in the new month alone.
 */
export const monthChange: Fault = {
  to: 'database',
  needs: 'clock',
  async inject(stage, random) {
    const now = stage.now();
    const date = new Date(now);
    const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    stage.skip(end - now - random(500, 2_500));
    await delay(random(3_000, 5_000));
    stage.skip(3 * hour);
    await delay(1_000);
  },
};

/** The database's clock alone jumps, back or ahead, and is set right some seconds later. */
export const clockJump: Fault = {
  to: 'database',
  needs: 'clock',
  async inject(stage, random) {
    await delay(random(0, 500));
    const jumps = [
      () => -random(1_000, 30_000),
      // More than five minutes behind a head the writers must wait, and go on when the clock is right again.
      () => -random(6, 15) * minute,
      () => random(1_000, 30_000),
      // What is chained now lies ahead of the clock afterwards, by less than what the writers put up with.
      () => random(60, 270) * 1_000,
    ];
    stage.shiftDatabaseClock(jumps[random(0, 3)]!());
    await delay(random(1_000, 4_000));
    stage.shiftDatabaseClock(0);
  },
};
