import type { Client } from '@tallystick/client';

/** People at the desk: they decide all that waits, until they are stopped. They deny what would stop production. */
export class People {
  readonly #clients: readonly Client[];
  readonly #tenants: readonly string[];
  #stopped = false;
  readonly #working: Promise<void>;

  /** @param clients one per person. Two of them must approve some actions. */
  constructor(clients: readonly Client[], tenants: readonly string[]) {
    this.#clients = clients;
    this.#tenants = tenants;
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      // A busy service may not answer in time. The next turn asks again.
      for (const tenant_id of this.#tenants) await this.#decide(tenant_id).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #decide(tenant_id: string): Promise<void> {
    const [first] = this.#clients;
    const { approvals } = await first!.approvals.list({ tenant_id, state: 'pending', limit: 100 });
    for (const { id, document, document_digest, rules } of approvals) {
      const verdict = document.action === 'stop_production_line' ? 'deny' : 'grant';
      const deciders = this.#clients.slice(0, verdict === 'deny' ? 1 : rules.approvals);
      for (const { approvals: desk } of deciders) {
        // The approval may have ended in the meantime.
        await desk.decide(id, { verdict, document_digest, tenant_id }).catch(() => undefined);
      }
    }
  }
}
