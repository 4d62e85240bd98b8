import type { Controls } from '../platform/controls.ts';
import type { Documents } from '../platform/documents.ts';
import type { Investigation, ResponsePlan } from '../platform/investigation.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Reasoner, ReasoningRequest } from '../platform/reasoning.ts';
import type { ServiceParts } from '../platform/service.ts';
import { doubtsAbout, evidenceOf, isSevere } from './conclusion.ts';
import { checkPatterns } from './false-positives.ts';
import type { GraphState, Steps } from './investigation-graph.ts';
import type { InvestigationRecords } from './investigation-records.ts';
import type { InvestigationStates, StoredInvestigation } from './investigation-states.ts';
import { draftPlan } from './response-plan.ts';
import { similarIncidents } from './similar-incidents.ts';
import type { Surroundings } from './surroundings.ts';

export interface StepParts extends Pick<ServiceParts, 'topics' | 'ids' | 'clock' | 'settings' | 'tenants'> {
  readonly reasoner: Reasoner;
  readonly controls: Controls;
  readonly patterns: Documents<FalsePositivePattern>;
  readonly states: InvestigationStates;
  readonly records: InvestigationRecords;
  readonly surroundings: Surroundings;
}

/** What the orchestrator does at each node of the graph of an investigation. */
export class InvestigationSteps implements Steps {
  readonly #parts: StepParts;

  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  async receive({ alert, lineage }: GraphState) {
    const investigation: Investigation = {
      investigation_id: lineage.investigationId!,
      tenant_id: alert.tenant_id,
      alert_id: alert.alert_id,
      state: 'received',
      severity: alert.severity,
      title: alert.title,
      source: alert.source,
      techniques: alert.techniques,
      entity_ids: alert.entities.map(({ id }) => id),
      opened_at: new Date(this.#parts.clock.now()).toISOString(),
    };
    const reason = `an alert of ${alert.source} arrived`;
    return this.#parts.states.move(lineage, investigation, 'received', reason, 'none');
  }

  async parse({ alert, lineage, investigation }: GraphState) {
    const { patterns, settings, controls, states } = this.#parts;
    const reason = 'the alert is checked for known false positives';
    const moved = await states.move(lineage, investigation, 'parsing', reason);
    const known = await patterns.list(alert.tenant_id);
    return {
      ...moved,
      patterns: await checkPatterns(alert, known, settings.shortCircuit.minimumScore, controls),
    };
  }

  async shortCircuit({ alert, lineage, investigation, patterns }: GraphState) {
    const { records, states } = this.#parts;
    const { pattern, score } = patterns.match!;
    const skipped = records.shortCircuited(lineage, alert, patterns);
    const closed = records.autoClosed(after(lineage, skipped), alert, { pattern, confidence: score });
    return states.close(
      after(lineage, closed),
      { ...investigation, verdict: 'false_positive', confidence: score },
      'pattern',
      `the alert fits pattern ${pattern.pattern_id}`,
    );
  }

  beginEnrichment({ lineage, investigation, patterns }: GraphState) {
    const reason =
      patterns.withheld === undefined
        ? `none of ${patterns.checked} patterns fits`
        : `a pattern fits and was not applied: ${patterns.withheld}`;
    return this.#parts.states.move(lineage, investigation, 'enriching', reason);
  }

  async findSimilar({ alert }: GraphState) {
    const { clock, settings, states } = this.#parts;
    const closed = await states.latestClosed(alert.tenant_id, settings.investigation.comparedLatest);
    const compared = { tenantId: alert.tenant_id, text: alert.title, techniques: alert.techniques };
    return { similar: similarIncidents(compared, closed, clock.now(), settings.investigation) };
  }

  async matchExposures({ alert }: GraphState) {
    return { exposures: await this.#parts.surroundings.exposuresOf(alert) };
  }

  async matchDetections({ alert }: GraphState) {
    return { detections: await this.#parts.surroundings.detectionsOf(alert) };
  }

  async reason(state: GraphState) {
    const { alert, lineage, investigation } = state;
    const { reasoner, settings, records, states } = this.#parts;
    const enriched = records.enriched(lineage, investigation, state);
    const moved = await states.move(
      after(lineage, enriched),
      investigation,
      'reasoning',
      'the evidence is complete',
    );
    const request = this.#request(state, moved.lineage);
    const first = await reasoner.reason(request);
    const isUnsure =
      first.confidence !== undefined &&
      first.confidence < settings.investigation.minimumConfidence &&
      isSevere(alert);
    const reasoning = isUnsure
      ? await reasoner.reason({
          ...request,
          lineage: after(moved.lineage, first.eventId),
          previousConfidence: first.confidence,
        })
      : first;
    return { ...moved, lineage: after(moved.lineage, reasoning.eventId), reasoning };
  }

  async decide({ alert, lineage, investigation, reasoning }: GraphState) {
    const { ids, controls, settings, records } = this.#parts;
    const concluded: Investigation = {
      ...investigation,
      verdict: reasoning.verdict,
      confidence: reasoning.confidence,
      summary: reasoning.summary,
      techniques: [...new Set([...investigation.techniques, ...reasoning.techniques])],
    };
    const doubts = doubtsAbout(alert, reasoning, settings.investigation);
    const isHarmless = reasoning.verdict === 'benign' || reasoning.verdict === 'false_positive';
    if (isHarmless && doubts.length === 0)
      return { investigation: concluded, plan: undefined, humanReasons: [] };
    const isShadow = await controls.isShadow(alert.tenant_id);
    const { plan, playbook, considered, actions } = draftPlan(
      alert,
      concluded,
      reasoning,
      doubts,
      isShadow,
      ids,
    );
    const selected = records.playbookSelected(lineage, playbook, considered, plan, reasoning);
    const large = actions.filter(({ tier }) => tier >= settings.investigation.humanFromTier);
    return {
      lineage: after(lineage, selected),
      investigation: concluded,
      plan,
      humanReasons: [...doubts, ...large.map(({ kind, tier }) => `${kind} is an action of tier ${tier}`)],
    };
  }

  async closeByAnalysis({ alert, lineage, investigation, reasoning }: GraphState) {
    const { records, states } = this.#parts;
    const confidence = reasoning.confidence ?? 0;
    const basis = { reasoning, confidence };
    const closed = records.autoClosed(after(lineage, reasoning.eventId), alert, basis);
    return states.close(
      after(lineage, closed),
      investigation,
      'analysis',
      `the model concluded ${reasoning.verdict} with confidence ${confidence}`,
    );
  }

  async awaitHuman({ alert, lineage, investigation, reasoning, plan, humanReasons }: GraphState) {
    const { records, states } = this.#parts;
    const escalated = records.escalated(lineage, alert, humanReasons, reasoning);
    const reason = humanReasons.join('; ');
    const moved = await states.move(after(lineage, escalated), investigation, 'awaiting_human', reason);
    return this.#handOver(moved, plan!);
  }

  async respond({ lineage, investigation, plan }: GraphState) {
    const reason = `${plan!.actions.length} actions run by themselves`;
    return this.#handOver(await this.#parts.states.move(lineage, investigation, 'responding', reason), plan!);
  }

  #request(state: GraphState, lineage: Lineage): ReasoningRequest {
    const { severity, tenant_id } = state.alert;
    return {
      lineage,
      task: 'alert.classify',
      severity,
      tenantTier: this.#parts.tenants.find(tenant_id)?.tier ?? 'trial',
      instructions: 'Judge the alert with the evidence.',
      needsReasoning: severity !== 'informational' && severity !== 'low',
      evidence: evidenceOf(state),
    };
  }

  async #handOver(moved: StoredInvestigation, plan: ResponsePlan) {
    const { topics, states } = this.#parts;
    await states.publish(moved);
    const { lineage } = moved;
    await topics.publish('actions.pending', { key: plan.investigation_id, lineage, value: plan });
    return moved;
  }
}
