import type { DeclaredGap, FinalSequence, GapReason } from '../transport/transport.ts';

/** A {@link DeclaredGap} that may still grow. */
interface Gap {
  readonly tenant_id: string;
  readonly from: number;
  to: number;
  readonly reason: GapReason;
}

/**
 * Numbers one producer's events and remembers which numbers will never arrive, so that the service can tell a
 * complete trail from one with losses. Owned by the emitter's thread.
 */
export class Ledger {
  readonly producerId: string;
  /** Numbers that were lost, declared or not. */
  losses = 0;
  readonly #last = new Map<string, { final_seq: number }>();
  #gaps: Gap[] = [];
  /** Of each tenant the gap that may still grow: the last one that was not handed out. */
  readonly #open = new Map<string, Gap>();
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
    const open = this.#open.get(tenantId);
    if (open !== undefined && open.reason === reason && open.to + 1 === sequence) {
      open.to = sequence;
      return;
    }
    const gap = { tenant_id: tenantId, from: sequence, to: sequence, reason };
    this.#gaps.push(gap);
    this.#open.set(tenantId, gap);
  }

  /** Up to `max` gaps to declare with a batch; they stay here until {@link declared}. */
  gaps(max: number): readonly DeclaredGap[] {
    const taken = this.#gaps.slice(0, max);
    for (const gap of taken.slice(this.#fixed)) {
      if (this.#open.get(gap.tenant_id) === gap) this.#open.delete(gap.tenant_id);
    }
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
