import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Ids } from '../platform/ids.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Settings } from '../platform/settings.ts';
import { type Canary, compare } from './canary.ts';
import { GovernanceRefused } from './refusal.ts';

/** New versions that are compared with the current one, and judged. */
export class Canaries {
  readonly #ids: Ids;
  readonly #settings: Settings['governance'];
  readonly #recorder: Recorder;
  readonly #canaries: Documents<Canary>;

  constructor(
    { ids, settings }: { readonly ids: Ids; readonly settings: Settings },
    recorder: Recorder,
    canaries: Documents<Canary> = new MemoryDocuments(),
  ) {
    this.#ids = ids;
    this.#settings = settings.governance;
    this.#recorder = recorder;
    this.#canaries = canaries;
  }

  /** Begins to compare a new version with the current one. */
  async start(candidate: string, lineage: Lineage): Promise<string> {
    const canary: Canary = {
      canary_id: this.#ids.next('canary'),
      tenant_id: lineage.tenantId,
      candidate,
      compared: 0,
      agreed: 0,
      state: 'running',
    };
    await this.#canaries.put(lineage.tenantId, canary.canary_id, canary);
    return canary.canary_id;
  }

  /**
   * Compares one decision of the candidate with that of the current version.
   *
   * @throws {GovernanceRefused} `CANARY_UNKNOWN` also for a canary that was judged
   */
  async compare(canaryId: string, agrees: boolean, lineage: Lineage): Promise<Canary['state']> {
    const canary = await this.#canaries.get(lineage.tenantId, canaryId);
    if (canary?.state !== 'running') {
      throw new GovernanceRefused('CANARY_UNKNOWN', `no canary ${canaryId} is running for the tenant`);
    }
    const next = compare(canary, agrees, this.#settings);
    await this.#canaries.put(lineage.tenantId, canaryId, next);
    if (next.state === 'promoted') {
      this.#recorder.emit('canary.promoted', lineage, {
        targetType: 'canary',
        targetId: canaryId,
        ...this.#judgement(next),
        outcome: { outcome_status: 'success', state_before: 'running', state_after: 'promoted' },
      });
    }
    if (next.state === 'rolled_back') {
      this.#recorder.emit('canary.rolled_back', lineage, {
        severity: 'warning',
        targetType: 'canary',
        targetId: canaryId,
        ...this.#judgement(next),
        outcome: { outcome_status: 'rolled_back', state_before: 'running', state_after: 'rolled_back' },
      });
    }
    return next.state;
  }

  #judgement({ candidate, compared, agreed }: Canary) {
    const { promoteFromAgreement } = this.#settings.canary;
    return {
      context: { candidate, decisions_compared: compared, decisions_agreed: agreed },
      decision: {
        decision_type: 'canary',
        confidence: Math.round((agreed / compared) * 1_000) / 1_000,
        confidence_basis: 'share of decisions that agree with those of the current version',
        reasoning_summary: `${candidate} agreed in ${agreed} of ${compared} decisions; promotion needs ${promoteFromAgreement}`,
      },
    };
  }
}
