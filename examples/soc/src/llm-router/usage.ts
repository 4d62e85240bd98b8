import type { Clock } from '@tallystick/sdk';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';

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

  constructor(clock: Pick<Clock, 'now'>, documents: Documents<Usage> = new MemoryDocuments()) {
    this.#clock = clock;
    this.#documents = documents;
  }

  async callsThisHour(tenantId: string): Promise<number> {
    return (await this.#read(tenantId, this.#hour())).calls;
  }

  async spentThisMonth(tenantId: string): Promise<number> {
    return (await this.#read(tenantId, this.month())).spentUsd;
  }

  async countCall(tenantId: string): Promise<void> {
    await this.#add(tenantId, this.#hour(), { calls: 1, spentUsd: 0 });
  }

  async spend(tenantId: string, usd: number): Promise<void> {
    await this.#add(tenantId, this.month(), { calls: 0, spentUsd: usd });
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
