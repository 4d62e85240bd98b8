import type { Random } from '../draw.ts';
import type { Stage } from '../stage.ts';

export interface Fault {
  /** What the fault harms. Two faults at the same time never harm the same thing. */
  readonly to: 'writer' | 'network' | 'group' | 'broker' | 'database';
  /** Which part of the stage the fault needs. Some machines lack it. */
  readonly needs?: 'clock' | 'disk';
  /** Does the harm while events flow, and undoes what can be undone. Rejects if the harm could not be done. */
  inject(stage: Stage, random: Random): Promise<void>;
}

/** How long a writer may take to reach a failpoint, ms. It does so with each batch, unless it is losing its partitions. */
export const failpointMs = 30_000;
