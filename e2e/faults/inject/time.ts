import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';

const minute = 60_000;
const hour = 60 * minute;

/**
 * Ends the month while events flow. All clocks move to shortly before its end. Later, they skip another three hours: new
 * events are then dated so that the writer looks for duplicates only in the new month.
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

/** Moves only the database's clock, back or ahead, and corrects it some seconds later. */
export const clockJump: Fault = {
  to: 'database',
  needs: 'clock',
  async inject(stage, random) {
    await delay(random(0, 500));
    const jumps = [
      () => -random(1_000, 30_000),
      // Writers must wait while the clock is more than five minutes behind a head, and go on once it is corrected.
      () => -random(6, 15) * minute,
      () => random(1_000, 30_000),
      // Records of this time are ahead of the corrected clock, by less than the five minutes that writers tolerate.
      () => random(60, 270) * 1_000,
    ];
    stage.shiftDatabaseClock(jumps[random(0, 3)]!());
    await delay(random(1_000, 4_000));
    stage.shiftDatabaseClock(0);
  },
};
