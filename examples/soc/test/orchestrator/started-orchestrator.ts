import { parseAlert } from '../../src/entity-parser/parse-alert.ts';
import { Orchestrator } from '../../src/orchestrator/orchestrator.ts';
import type { Alert, AlertSource } from '../../src/platform/alert.ts';
import type { Controls } from '../../src/platform/controls.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import type { ResponsePlan, ResponseReport } from '../../src/platform/investigation.ts';
import type { FalsePositivePattern } from '../../src/platform/knowledge.ts';
import type { Reasoning, ReasoningRequest } from '../../src/platform/reasoning.ts';
import { openControls } from '../controls.ts';
import { alertOf } from '../entity-parser/alerts.ts';
import { newLineage, testParts } from '../platform-parts.ts';

interface Options {
  readonly audit?: boolean;
  readonly answers?: readonly (Partial<Reasoning> | Error)[];
  readonly patterns?: readonly FalsePositivePattern[];
  readonly controls?: Partial<Controls>;
}

/** The answer that an attack is under way. */
export const attack: Partial<Reasoning> = {
  verdict: 'true_positive',
  confidence: 0.8,
  techniques: ['T1110'],
  recommendedActions: ['block_ip'],
};

/** An orchestrator whose model gives these answers, one after the other. */
export async function start({
  audit = true,
  answers = [attack],
  patterns = [],
  controls = {},
}: Options = {}) {
  const parts = testParts({ audit });
  const requests: ReasoningRequest[] = [];
  const reasoner = {
    async reason(request: ReasoningRequest): Promise<Reasoning> {
      const answer = answers[Math.min(requests.length, answers.length - 1)]!;
      requests.push(request);
      if (answer instanceof Error) throw answer;
      return {
        status: 'answered',
        techniques: [],
        recommendedActions: [],
        summary: 'as the test says',
        costUsd: 0,
        eventId: parts.ids.next(),
        ...answer,
      };
    },
  };
  const stored = new MemoryDocuments<FalsePositivePattern>();
  for (const pattern of patterns) await stored.put(pattern.tenant_id, pattern.pattern_id, pattern);
  const investigations = await parts.collect('investigations');
  const plans = await parts.collect('actions.pending');
  const orchestrator = new Orchestrator({
    ...parts,
    reasoner,
    patterns: stored,
    controls: openControls(controls),
  });
  await orchestrator.start();
  return {
    ...parts,
    requests,
    investigations,
    plans,
    investigate: async (source: AlertSource, change: Partial<Alert> = {}, tenantId = 'acme') => {
      const raw = { source, received_at: '', payload: alertOf[source] };
      const alert = { ...parseAlert(tenantId, raw, parts.settings.alerts), ...change };
      const lineage = { ...newLineage(tenantId), parentEventId: undefined };
      await parts.topics.publish('alerts.normalized', { key: alert.alert_id, lineage, value: alert });
      await parts.topics.settled();
      return alert;
    },
    settle: async (plan: ResponsePlan, ...results: ResponseReport['results'][number]['result'][]) => {
      const { plan_id, investigation_id, tenant_id, actions } = plan;
      const value = {
        plan_id,
        investigation_id,
        tenant_id,
        results: actions.map(({ action_id }, at) => ({ action_id, result: results[at] ?? results.at(-1)! })),
      };
      await parts.topics.publish('actions.settled', {
        key: investigation_id,
        lineage: newLineage(tenant_id),
        value,
      });
      await parts.topics.settled();
    },
    /** The states that the trail shows, in order. */
    states: () =>
      parts.trail.events
        .filter(({ event_type }) => event_type === 'investigation.state_changed')
        .map(({ outcome }) => `${outcome!.state_before} → ${outcome!.state_after}`),
    types: () => parts.trail.events.map(({ event_type }) => event_type),
  };
}
