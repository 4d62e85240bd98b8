import type { DeclaredGap, FinalSequence, GapReason } from '@tallystick/protocol';
import type { ProducerGaps } from './outbox.ts';

/** A {@link DeclaredGap} that may still grow. */
interface Gap {
  readonly tenant_id: string;
  readonly from: number;
  to: number;
  readonly reason: GapReason;
}

/**
 * Assigns the sequence numbers of this producer's events, and remembers the numbers of lost events until the service knows
 * them. With both, the service can distinguish a complete trail from one with losses. Owned by the emitter's thread.
 */
export class SequenceTracker implements ProducerGaps {
  readonly producerId: string;
  /** How many events were lost, declared or not. */
  lostCount = 0;
  /** How many numbers were assigned, of all tenants. */
  assigned = 0;
  readonly #last = new Map<string, { final_seq: number }>();
  /** The gaps that the service does not know yet, in the order of the losses. */
  #gaps: Gap[] = [];
  /** By tenant: the last gap, unless a batch contains it already. The next loss for the same reason extends it. */
  readonly #growing = new Map<string, Gap>();
  /** Number of gaps that a batch contains. They must not be extended, because the service may already know them. */
  #taken = 0;

  constructor(producerId: string) {
    this.producerId = producerId;
  }

  /** The tenant's next number, from 1. */
  next(tenantId: string): number {
    this.assigned++;
    const last = this.#last.get(tenantId);
    if (last !== undefined) return ++last.final_seq;
    this.#last.set(tenantId, { final_seq: 1 });
    return 1;
  }

  markLost(tenantId: string, sequence: number, reason: GapReason): void {
    this.lostCount++;
    const growing = this.#growing.get(tenantId);
    if (growing !== undefined && growing.reason === reason && growing.to + 1 === sequence) {
      growing.to = sequence;
      return;
    }
    const gap = { tenant_id: tenantId, from: sequence, to: sequence, reason };
    this.#gaps.push(gap);
    this.#growing.set(tenantId, gap);
  }

  takeGaps(max: number): readonly DeclaredGap[] {
    const gaps = this.#gaps.slice(0, max);
    for (const gap of gaps.slice(this.#taken)) {
      if (this.#growing.get(gap.tenant_id) === gap) this.#growing.delete(gap.tenant_id);
    }
    this.#taken = Math.max(this.#taken, gaps.length);
    return gaps;
  }

  /** If the process crashes before this call, a successor declares the same gaps again; the service ignores a repetition. */
  confirmGaps(count: number): void {
    this.#gaps = this.#gaps.slice(count);
    this.#taken = Math.max(0, this.#taken - count);
  }

  /** A copy of the first `max` gaps that the service does not know. They may still grow. */
  copyUndeclaredGaps(max: number): DeclaredGap[] {
    return this.#gaps.slice(0, max).map((gap) => ({ ...gap }));
  }

  get undeclaredGaps(): number {
    return this.#gaps.length;
  }

  /** The last number of each tenant so far. */
  finalSequences(): FinalSequence[] {
    return Array.from(this.#last, ([tenant_id, { final_seq }]) => ({ tenant_id, final_seq }));
  }
}
