import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { TenantDirectory } from '../platform/tenants.ts';
import { GovernanceRefused } from './refusal.ts';

/** How a tenant leaves shadow mode. */
export interface ShadowMode {
  readonly shadow: boolean;
  readonly approved_by: readonly string[];
}

/** People who must approve that a tenant leaves shadow mode. */
const goLiveApprovers = 2;

/** Which tenants are in shadow mode. A tenant that the platform does not know is. */
export class ShadowModes {
  readonly #modes: Documents<ShadowMode>;
  readonly #tenants: TenantDirectory;
  readonly #recorder: Recorder;

  constructor(
    tenants: TenantDirectory,
    recorder: Recorder,
    modes: Documents<ShadowMode> = new MemoryDocuments(),
  ) {
    this.#tenants = tenants;
    this.#recorder = recorder;
    this.#modes = modes;
  }

  async isShadow(tenantId: string): Promise<boolean> {
    const mode = await this.#modes.get(tenantId, 'mode');
    return mode?.shadow ?? this.#tenants.find(tenantId)?.shadow ?? true;
  }

  /**
   * A person approves that a tenant leaves shadow mode. The second one ends it.
   *
   * @returns whether the tenant is live now
   * @throws {GovernanceRefused} `NOT_IN_SHADOW`, `SAME_PERSON`
   */
  async approveGoLive(person: string, reason: string, lineage: Lineage): Promise<boolean> {
    const { tenantId } = lineage;
    if (!(await this.isShadow(tenantId))) {
      throw new GovernanceRefused('NOT_IN_SHADOW', `the tenant ${tenantId} is not in shadow mode`);
    }
    const known = (await this.#modes.get(tenantId, 'mode'))?.approved_by ?? [];
    if (known.includes(person)) {
      throw new GovernanceRefused('SAME_PERSON', `${person} has approved it; another person must`);
    }
    const approved_by = [...known, person];
    const isLive = approved_by.length >= goLiveApprovers;
    await this.#modes.put(tenantId, 'mode', { shadow: !isLive, approved_by });
    this.#recorder.emit('shadow.go_live_approved', lineage, {
      actorType: 'user',
      actorId: person,
      severity: 'warning',
      targetType: 'tenant',
      targetId: tenantId,
      decision: {
        decision_type: 'go_live',
        classification: 'approved',
        reasoning_summary: `${reason} (approval ${approved_by.length} of ${goLiveApprovers})`,
      },
      outcome: {
        outcome_status: 'success',
        approval_received_from: person,
        state_before: 'shadow',
        state_after: isLive ? 'live' : 'shadow',
      },
    });
    return isLive;
  }
}
