import type { DeclaredGap, GapReason } from '../transport/transport.ts';

/** The accounts of a producer that ended before this process began: all that is left of them is on disk. */
export class PredecessorLedger {
  readonly producerId: string;
  readonly ends: boolean;
  readonly lost: DeclaredGap[] = [];
  declaredCount = 0;
  readonly #gaps: readonly DeclaredGap[];

  constructor(producerId: string, gaps: readonly DeclaredGap[], ends: boolean) {
    this.producerId = producerId;
    this.#gaps = gaps;
    this.ends = ends;
  }

  gaps(max: number): readonly DeclaredGap[] {
    return this.#gaps.slice(0, max);
  }

  declared(count: number): void {
    this.declaredCount = count;
  }

  lose(tenantId: string, sequence: number, reason: GapReason): void {
    this.lost.push({ tenant_id: tenantId, from: sequence, to: sequence, reason });
  }
}
