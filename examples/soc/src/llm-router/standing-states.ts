import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Lineage } from '../platform/lineage.ts';
import { Turns } from '../platform/turns.ts';
import { apart, independently, separateChanges, type Units } from '../platform/unit-of-work.ts';

/** What a state is about. */
export interface StateName {
  readonly tenantId: string;
  readonly name: string;
}

/** Since when something holds, in milliseconds since the epoch; `null`: it does not hold. */
export interface Standing {
  readonly since: number | null;
  /** Calls of a provider in a row that failed. */
  readonly failures?: number;
}

/**
 * What the router has recorded and must know after a restart: which breakers are open, whether no model answers, which limits are reached.
 * Otherwise the trail would have a breaker that opens twice, or that opens and never closes.
 */
export class StandingStates {
  readonly #documents: Documents<Standing>;
  readonly #units: Units;
  readonly #turns = new Turns();

  constructor(
    units: Units = separateChanges,
    documents: Documents<Standing> = new MemoryDocuments<Standing>(),
  ) {
    this.#units = units;
    this.#documents = documents;
  }

  /** Since when it holds; `null` if it does not. */
  async since({ tenantId, name }: StateName): Promise<number | null> {
    return (await this.#documents.get(tenantId, name))?.since ?? null;
  }

  /** Calls in a row that failed. */
  async failures({ tenantId, name }: StateName): Promise<number> {
    return (await this.#documents.get(tenantId, name))?.failures ?? 0;
  }

  /** Stores how many calls in a row failed. It is no state, and is not recorded; it stays stored if the surrounding work fails. */
  async countFailures({ tenantId, name }: StateName, failures: number): Promise<void> {
    await apart(() => this.#documents.put(tenantId, name, { since: null, failures }));
  }

  /**
   * Begins or ends a state, and records it. After a crash, both are stored or neither is. Both stay stored if the surrounding work fails.
   *
   * @param next since when it holds, from since when it held before. Nothing happens if that is the same.
   * @param record is called with the lineage of the record
   */
  async change(
    state: StateName,
    next: (known: number | null) => number | null,
    lineage: Lineage,
    record: (lineage: Lineage) => void,
  ): Promise<void> {
    const { tenantId, name } = state;
    await this.#turns.take(JSON.stringify([tenantId, name]), async () => {
      const known = await this.since(state);
      const since = next(known);
      if (since === known) return;
      await independently(this.#units, lineage, async (own) => {
        await this.#documents.put(tenantId, name, { since });
        record(own);
      });
    });
  }
}
