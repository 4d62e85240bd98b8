import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, failpointMs } from './fault.ts';

/** Drops packets between a writer and the database for some seconds, in one direction or both. */
export const cutNetwork: Fault = {
  to: 'network',
  async inject(stage, random) {
    const { proxy } = await stage.fleet.pick(random, failpointMs);
    await delay(random(0, 500));
    proxy.cut((['both', 'both', 'to-target', 'from-target'] as const)[random(0, 3)]);
    await delay(random(1_000, 6_000));
    proxy.heal();
  },
};

/** Resets all connections of a writer to the database, several times. */
export const resetNetwork: Fault = {
  to: 'network',
  async inject(stage, random) {
    const { proxy } = await stage.fleet.pick(random, failpointMs);
    for (let left = random(1, 5); left > 0; left--) {
      await delay(random(50, 500));
      proxy.reset();
    }
  },
};
