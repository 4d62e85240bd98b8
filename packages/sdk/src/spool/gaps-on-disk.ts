import type { DeclaredGap } from '@tallystick/protocol';
import type { SequenceTracker } from '../delivery/sequence-tracker.ts';

/** Gaps that are written to disk, at most. A producer has more only if many tenants lose events in turn. */
export const maxGapsOnDisk = 10_000;

/**
 * Which of this producer's gaps are on disk. They are written like events, so that a later process can declare them after a crash.
 * Owned by the emitter's thread.
 */
export class GapsOnDisk {
  readonly #sequences: SequenceTracker;
  /** Gaps in the file. */
  #gaps = 0;
  /** How many events were lost when they were written. */
  #lostCount = 0;

  constructor(sequences: SequenceTracker) {
    this.#sequences = sequences;
  }

  /** Whether events were lost since the gaps were last written. */
  get outdated(): boolean {
    return this.#sequences.lostCount !== this.#lostCount;
  }

  /** The gaps to write now, and the function to call when they are written. */
  snapshot(): { gaps: readonly DeclaredGap[]; written: () => void } {
    const { lostCount } = this.#sequences;
    const gaps = this.#sequences.copyUndeclaredGaps(maxGapsOnDisk);
    const written = () => {
      this.#gaps = gaps.length;
      this.#lostCount = lostCount;
    };
    return { gaps, written };
  }

  /** How many gaps in the file the service has by now. They count as removed from the file. */
  takeDeclared(): number {
    const declared = Math.max(0, this.#gaps - this.#sequences.undeclaredGaps);
    this.#gaps -= declared;
    return declared;
  }
}
