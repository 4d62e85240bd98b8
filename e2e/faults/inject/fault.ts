import type { Random } from '../draw.ts';
import type { Stage } from '../stage.ts';

export interface Fault {
  /** What it is done to: two faults at once are never done to the same. */
  readonly to: 'writer' | 'network' | 'group' | 'broker' | 'database';
  /** What the machine must be able to do. */
  readonly needs?: 'clock' | 'disk';
  /** Does the harm while events flow, and takes back what can be taken back. Rejects where the harm could not be done. */
  inject(stage: Stage, random: Random): Promise<void>;
}

/** How long a failpoint may take to be reached: a writer passes it at each batch, unless it is about to lose its partitions. */
export const failpointMs = 30_000;
