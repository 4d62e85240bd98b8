import type { Clock } from '@tallystick/sdk';
import type { Documents } from '../platform/documents.ts';
import type { Investigation, InvestigationState } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { TopicBus } from '../platform/topics.ts';
import type { InvestigationRecords } from './investigation-records.ts';

/** An investigation, and where its records go on. */
export interface StoredInvestigation {
  readonly investigation: Investigation;
  readonly lineage: Lineage;
}

/** Moves investigations from one state to another: each step is recorded, stored, and published where others wait for it. */
export class InvestigationStates {
  readonly #investigations: Documents<StoredInvestigation>;
  readonly #records: InvestigationRecords;
  readonly #topics: TopicBus;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(parts: {
    readonly investigations: Documents<StoredInvestigation>;
    readonly records: InvestigationRecords;
    readonly topics: TopicBus;
    readonly clock: Pick<Clock, 'now'>;
  }) {
    this.#investigations = parts.investigations;
    this.#records = parts.records;
    this.#topics = parts.topics;
    this.#clock = parts.clock;
  }

  find(tenantId: string, investigationId: string): Promise<StoredInvestigation | undefined> {
    return this.#investigations.get(tenantId, investigationId);
  }

  /** Those of the latest `count` investigations of the tenant that are closed. */
  async latestClosed(tenantId: string, count: number): Promise<Investigation[]> {
    const all = await this.#investigations.latest(tenantId, count);
    return all.map(({ investigation }) => investigation).filter(({ state }) => state === 'closed');
  }

  /** Records the step, then stores the state. A crash in between repeats the step after the alert is delivered again. */
  async move(
    lineage: Lineage,
    investigation: Investigation,
    to: InvestigationState,
    reason: string,
    from: InvestigationState | 'none' = investigation.state,
  ): Promise<StoredInvestigation> {
    const moved = { ...investigation, state: to };
    const changed = this.#records.stateChanged(lineage, moved, from, reason);
    const stored = { investigation: moved, lineage: after(lineage, changed) };
    await this.#investigations.put(moved.tenant_id, moved.investigation_id, stored);
    return stored;
  }

  async close(
    lineage: Lineage,
    investigation: Investigation,
    by: NonNullable<Investigation['closed_by']>,
    reason: string,
  ): Promise<StoredInvestigation> {
    const closed_at = new Date(this.#clock.now()).toISOString();
    return this.publish(
      await this.move(lineage, { ...investigation, closed_by: by, closed_at }, 'closed', reason),
    );
  }

  async fail(lineage: Lineage, investigation: Investigation, reason: string): Promise<StoredInvestigation> {
    return this.publish(await this.move(lineage, investigation, 'failed', reason));
  }

  async publish({ investigation, lineage }: StoredInvestigation): Promise<StoredInvestigation> {
    await this.#topics.publish('investigations', {
      key: investigation.investigation_id,
      lineage,
      value: investigation,
    });
    return { investigation, lineage };
  }
}
