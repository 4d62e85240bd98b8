import type { KillScope } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import { GovernanceRefused } from './refusal.ts';

export interface KillSwitch extends KillScope {
  readonly active: boolean;
}

/** The kill switches of each tenant. */
export class KillSwitches {
  readonly #recorder: Recorder;
  readonly #switches: Documents<KillSwitch>;

  constructor(recorder: Recorder, switches: Documents<KillSwitch> = new MemoryDocuments()) {
    this.#recorder = recorder;
    this.#switches = switches;
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` */
  async activate(scope: KillScope, person: string, reason: string, lineage: Lineage): Promise<void> {
    await this.#set(lineage.tenantId, scope, true);
    this.#recorder.emit('kill_switch.activated', lineage, {
      actorType: 'user',
      actorId: person,
      severity: 'critical',
      targetType: 'kill_switch',
      targetId: idOf(scope),
      decision: { decision_type: 'kill_switch', classification: scope.kind, reasoning_summary: reason },
      outcome: { outcome_status: 'success', state_before: 'inactive', state_after: 'active' },
    });
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` */
  async deactivate(scope: KillScope, person: string, reason: string, lineage: Lineage): Promise<void> {
    await this.#set(lineage.tenantId, scope, false);
    this.#recorder.emit('kill_switch.deactivated', lineage, {
      actorType: 'user',
      actorId: person,
      severity: 'warning',
      targetType: 'kill_switch',
      targetId: idOf(scope),
      decision: { decision_type: 'kill_switch', classification: scope.kind, reasoning_summary: reason },
      outcome: { outcome_status: 'success', state_before: 'active', state_after: 'inactive' },
    });
  }

  async isActive(tenantId: string, scopes: readonly KillScope[]): Promise<boolean> {
    const found = await Promise.all(scopes.map((scope) => this.#switches.get(tenantId, idOf(scope))));
    return found.some((one) => one?.active === true);
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` if the switch is in this position */
  async #set(tenantId: string, scope: KillScope, active: boolean): Promise<void> {
    const id = idOf(scope);
    const known = (await this.#switches.get(tenantId, id))?.active ?? false;
    if (known === active) {
      throw new GovernanceRefused(
        'NO_CHANGE',
        `the kill switch of ${id} is ${active ? 'active' : 'not active'} already`,
      );
    }
    await this.#switches.put(tenantId, id, { kind: scope.kind, value: scope.value, active });
  }
}

function idOf({ kind, value }: KillScope): string {
  return `${kind}:${value}`;
}
