import type { DeclaredGap, GapReason } from '@tallystick/protocol';
import type { ProducerGaps } from '../delivery/outbox.ts';

/** The gaps of a producer that ended before this process began, as one read found them on disk. */
export class PredecessorGaps implements ProducerGaps {
  readonly producerId: string;
  /** Whether the read found everything that the producer has to declare. */
  readonly complete: boolean;
  /** Gaps that were found after the read, to be added on disk. */
  readonly lost: DeclaredGap[] = [];
  confirmedCount = 0;
  readonly #gaps: readonly DeclaredGap[];

  constructor(producerId: string, gaps: readonly DeclaredGap[], complete: boolean) {
    this.producerId = producerId;
    this.#gaps = gaps;
    this.complete = complete;
  }

  takeGaps(max: number): readonly DeclaredGap[] {
    return this.#gaps.slice(0, max);
  }

  confirmGaps(count: number): void {
    this.confirmedCount = count;
  }

  markLost(tenantId: string, sequence: number, reason: GapReason): void {
    this.lost.push({ tenant_id: tenantId, from: sequence, to: sequence, reason });
  }
}
