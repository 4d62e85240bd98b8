import type { MemoryTopics } from '../platform/memory-topics.ts';
import { screenLine } from './screen-line.ts';
import type { EmittedEvent } from './watched-emitter.ts';

/** Shows what happens, one line each, as wide as the screen. */
export class LiveView {
  readonly #print: (line: string) => void;
  readonly #width: number;
  /** Titles of alerts and of their investigations, by their ids. */
  readonly #titles = new Map<string, string>();
  /** Investigations of the actions that agents declared, by the id of the intent. */
  readonly #investigationOf = new Map<string, string>();

  /** @param width columns of the screen; without limit where the output is no screen */
  constructor(print: (line: string) => void, width: number = Number.POSITIVE_INFINITY) {
    this.#print = print;
    this.#width = width;
  }

  show(what: string, tenant: string, text: string): void {
    this.#print(screenLine(`${what.padEnd(14)} ${tenant.padEnd(8)} ${text}`, this.#width));
  }

  /** The title of the investigation to which an action belongs, by the id of its intent. */
  titleOf(intentId: string): string {
    return this.#title(this.#investigationOf.get(intentId));
  }

  #title(investigationId: string | undefined): string {
    return this.#titles.get(investigationId ?? '') ?? investigationId ?? 'an unknown investigation';
  }

  /** Looks at an event that a service records: calls of models and quarantines are on no topic. */
  watch(
    type: string,
    { auditId, tenantId = '', alertId, investigationId, context = {}, decision = {} }: EmittedEvent,
  ): void {
    const title = this.#titles.get(alertId ?? '');
    if (investigationId !== undefined && title !== undefined) this.#titles.set(investigationId, title);
    if (type === 'agent.action.intended' && auditId !== undefined && investigationId !== undefined) {
      this.#investigationOf.set(auditId, investigationId);
    }
    if (type === 'routing.tier_selected') {
      const { llm_provider = 'no provider', llm_model_id = '', llm_model_tier, llm_cost_usd } = context;
      const { classification, confidence } = decision;
      const sure = confidence === undefined ? '' : ` (${confidence})`;
      this.show(
        'model',
        tenantId,
        `tier ${llm_model_tier} ${llm_provider} ${llm_model_id}: ${classification}${sure}, $${llm_cost_usd}, ${this.#title(investigationId)}`,
      );
    }
    if (type.endsWith('.quarantined')) {
      this.show('quarantine', tenantId, `${this.#title(investigationId)}: ${decision.reasoning_summary}`);
    }
  }

  /** Shows what happens on the topics. */
  async follow(topics: MemoryTopics): Promise<void> {
    const watcher = 'live-view';
    await topics.subscribe('atlas.detections', watcher, async ({ value }) =>
      this.show(
        'detection',
        value.tenant_id,
        `${value.rule} for ${value.subject}, confidence ${value.confidence}`,
      ),
    );
    await topics.subscribe('ctem.normalized', watcher, async ({ value }) =>
      this.show(
        'exposure',
        value.tenant_id,
        `${value.severity} ${value.title} on ${value.asset}, ${value.state}`,
      ),
    );
    await topics.subscribe('alerts.normalized', watcher, async ({ value }) => {
      this.#titles.set(value.alert_id, value.title);
      const isAddressed = value.injection.length > 0;
      const text = `${value.severity} ${isAddressed ? '(addresses a model) ' : ''}${value.title}`;
      this.show(isAddressed ? 'alert !' : 'alert', value.tenant_id, text);
    });
    await topics.subscribe('investigations', watcher, async ({ value }) => {
      this.#titles.set(value.investigation_id, value.title);
      const verdict = `${value.verdict ?? 'no verdict'}${value.closed_by === undefined ? '' : `, by ${value.closed_by}`}`;
      this.show(value.state, value.tenant_id, `${verdict}: ${value.title}`);
    });
    await topics.subscribe('actions.settled', watcher, async ({ value }) => {
      const results = value.results.map(({ result }) => result).join(', ') || 'none';
      this.show('actions', value.tenant_id, `${results}: ${this.#title(value.investigation_id)}`);
    });
  }
}
