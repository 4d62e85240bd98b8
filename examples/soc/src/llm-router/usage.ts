import type { Clock } from '@tallystick/sdk';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import { Turns } from '../platform/turns.ts';

/** What one tenant used in one hour or one month. */
export interface Usage {
  readonly calls: number;
  readonly spentUsd: number;
}

const none: Usage = { calls: 0, spentUsd: 0 };

/** Counts calls per hour and money per month, both by UTC. */
export class UsageMeter {
  readonly #documents: Documents<Usage>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #turns = new Turns();
  /** Calls of each tenant that were reserved and are not counted yet. */
  readonly #reserved = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>, documents: Documents<Usage> = new MemoryDocuments()) {
    this.#clock = clock;
    this.#documents = documents;
  }

  /**
   * Reserves a call of this hour, if the quota has one left. The caller then counts it with {@link countCall}: without the
   * reservation, calls at the same time would all see the same count.
   */
  async reserveCall(tenantId: string, quota: number): Promise<boolean> {
    return await this.#turns.take(tenantId, async () => {
      const { calls } = await this.#read(tenantId, this.#hour());
      const reserved = this.#reserved.get(tenantId) ?? 0;
      if (calls + reserved >= quota) return false;
      this.#reserved.set(tenantId, reserved + 1);
      return true;
    });
  }

  async spentThisMonth(tenantId: string): Promise<number> {
    return (await this.#read(tenantId, this.month())).spentUsd;
  }

  /** Counts a call that was reserved. */
  async countCall(tenantId: string): Promise<void> {
    await this.#turns.take(tenantId, async () => {
      this.#reserved.set(tenantId, (this.#reserved.get(tenantId) ?? 1) - 1);
      await this.#add(tenantId, this.#hour(), { calls: 1, spentUsd: 0 });
    });
  }

  async spend(tenantId: string, usd: number): Promise<void> {
    await this.#turns.take(tenantId, () => this.#add(tenantId, this.month(), { calls: 0, spentUsd: usd }));
  }

  /** `2026-11` */
  month(): string {
    return new Date(this.#clock.now()).toISOString().slice(0, 7);
  }

  #hour(): string {
    return new Date(this.#clock.now()).toISOString().slice(0, 13);
  }

  async #read(tenantId: string, period: string): Promise<Usage> {
    return (await this.#documents.get(tenantId, period)) ?? none;
  }

  async #add(tenantId: string, period: string, { calls, spentUsd }: Usage): Promise<void> {
    const known = await this.#read(tenantId, period);
    await this.#documents.put(tenantId, period, {
      calls: known.calls + calls,
      spentUsd: known.spentUsd + spentUsd,
    });
  }
}
