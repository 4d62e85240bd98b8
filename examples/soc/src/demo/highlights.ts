import { type EventView, textAt } from './record-line.ts';

/** What the models of one tier answered and cost. */
export interface TierTotal {
  readonly tier: string;
  readonly calls: number;
  readonly costUsd: number;
}

/** A record in a chain. */
export interface Place {
  readonly tenantId: string;
  readonly sequence: number;
  readonly investigationId: string;
}

/** What the end of the demo refers to, taken from the records as they are chained. */
export class Highlights {
  readonly #tiers = new Map<string, { calls: number; costUsd: number }>();
  readonly #counts = new Map<string, number>();
  /** The first approval of an action with consequences. An attacker will turn it around. */
  approved: Place | undefined;
  /** The first investigation whose alert gives orders to the model. */
  quarantined: Place | undefined;
  #stopsProduction = false;

  add(tenantId: string, event: EventView): void {
    const type = textAt(event, 'event_type');
    this.#counts.set(type, this.countOf(type) + 1);
    const place = {
      tenantId,
      sequence: Number(event.sequence_number),
      investigationId: textAt(event, 'investigation_id'),
    };
    if (type === 'routing.tier_selected') this.#addCall(event);
    if (type === 'injection.quarantined') this.quarantined ??= place;
    if (type !== 'approval.granted') return;
    // Two people must approve that production stops, so it comes before all others.
    const action = textAt(event, 'context', 'action');
    const stopsProduction = action === 'stop_production_line';
    if (action === 'confirm_verdict') return;
    if (this.approved === undefined || (stopsProduction && !this.#stopsProduction)) this.approved = place;
    this.#stopsProduction ||= stopsProduction;
  }

  countOf(type: string): number {
    return this.#counts.get(type) ?? 0;
  }

  /** The calls of models, by tier. */
  get tiers(): TierTotal[] {
    return [...this.#tiers]
      .map(([tier, { calls, costUsd }]) => ({ tier, calls, costUsd: Number(costUsd.toFixed(6)) }))
      .toSorted((a, b) => a.tier.localeCompare(b.tier));
  }

  #addCall(event: EventView): void {
    const tier = textAt(event, 'context', 'llm_model_tier');
    const total = this.#tiers.get(tier) ?? { calls: 0, costUsd: 0 };
    total.calls += 1;
    total.costUsd += Number(textAt(event, 'context', 'llm_cost_usd') || 0);
    this.#tiers.set(tier, total);
  }
}
