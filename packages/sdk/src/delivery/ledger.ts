import type { DeclaredGap, FinalSequence, GapReason } from '../transport/transport.ts';

/**
 * Numbers one producer's events and remembers which numbers will never arrive, so that the service can tell a
 * complete trail from one with losses. Owned by the emitter's thread.
 */
export class Ledger {
  readonly producerId: string;
  /** Numbers that were lost, declared or not. */
  losses = 0;
  readonly #last = new Map<string, { final_seq: number }>();
  #gaps: { tenant_id: string; from: number; to: number; reason: GapReason }[] = [];
  /** Gaps that were handed out in a batch: their ends are fixed now, since the service may have read them. */
  #fixed = 0;

  constructor(producerId: string) {
    this.producerId = producerId;
  }

  /** The next number for the tenant, from 1. */
  number(tenantId: string): number {
    const last = this.#last.get(tenantId);
    if (last !== undefined) return ++last.final_seq;
    this.#last.set(tenantId, { final_seq: 1 });
    return 1;
  }

  lose(tenantId: string, sequence: number, reason: GapReason): void {
    this.losses++;
    // Losses come in runs, so the gap to extend is among the last few or there is none.
    for (let index = this.#gaps.length - 1; index >= Math.max(this.#fixed, this.#gaps.length - 16); index--) {
      const gap = this.#gaps[index]!;
      if (gap.tenant_id !== tenantId) continue;
      if (gap.reason === reason && gap.to + 1 === sequence) {
        gap.to = sequence;
        return;
      }
      break;
    }
    this.#gaps.push({ tenant_id: tenantId, from: sequence, to: sequence, reason });
  }

  /** Up to `max` gaps to declare with a batch; they stay here until {@link declared}. */
  gaps(max: number): readonly DeclaredGap[] {
    const taken = this.#gaps.slice(0, max);
    this.#fixed = Math.max(this.#fixed, taken.length);
    return taken;
  }

  /** A copy of what is not declared yet, at most `max`; it may still grow. */
  undeclaredGaps(max: number): DeclaredGap[] {
    return this.#gaps.slice(0, max).map((gap) => ({ ...gap }));
  }

  /** The first `count` gaps have reached the service. A crash before this declares them again, which changes nothing. */
  declared(count: number): void {
    this.#gaps = this.#gaps.slice(count);
    this.#fixed = Math.max(0, this.#fixed - count);
  }

  get undeclared(): number {
    return this.#gaps.length;
  }

  final(): FinalSequence[] {
    return Array.from(this.#last, ([tenant_id, { final_seq }]) => ({ tenant_id, final_seq }));
  }
}
