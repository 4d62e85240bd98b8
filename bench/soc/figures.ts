import type { Spent } from './platform.ts';

/** What a process of `over-kafka.ts` has done since its start.  */
export interface Figures extends Spent {
  /** How long the thread of the service has worked, ms. */
  readonly activeMs: number;
  /** Of all threads of the process, ms. */
  readonly processorMs: number;
  /** MiB after a collection. */
  readonly heap: number;
  readonly resident: number;
}

/** Begins each line with figures. */
export const figuresMark = 'figures: ';
