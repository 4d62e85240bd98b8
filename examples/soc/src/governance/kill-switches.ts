import type { KillScope } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import { GovernanceRefused } from './refusal.ts';

interface KillSwitch extends KillScope {
  readonly active: boolean;
}

/** The kill switches of each tenant. */
export class KillSwitches {
  readonly #switches: Documents<KillSwitch>;

  constructor(switches: Documents<KillSwitch> = new MemoryDocuments()) {
    this.#switches = switches;
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` if the switch is in this position */
  async set(tenantId: string, scope: KillScope, active: boolean): Promise<void> {
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

  async isActive(tenantId: string, scopes: readonly KillScope[]): Promise<boolean> {
    const found = await Promise.all(scopes.map((scope) => this.#switches.get(tenantId, idOf(scope))));
    return found.some((one) => one?.active === true);
  }
}

export function idOf({ kind, value }: KillScope): string {
  return `${kind}:${value}`;
}
