import type { Alert } from '../platform/alert.ts';
import type { Controls } from '../platform/controls.ts';
import type { Detection } from '../platform/detection.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Exposure } from '../platform/exposure.ts';
import {
  type Investigation,
  type InvestigationState,
  investigationIdOf,
  type ResponsePlan,
  type ResponseReport,
} from '../platform/investigation.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import type { Reasoner, ReasoningRequest } from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { type Message, RejectedMessage } from '../platform/topics.ts';
import { confirmation, doubtsAbout, evidenceOf, isSevere } from './conclusion.ts';
import { checkPatterns } from './false-positives.ts';
import { type GraphState, investigationGraph, type Steps } from './investigation-graph.ts';
import { InvestigationRecords } from './investigation-records.ts';
import { planActions, selectPlaybook } from './playbooks.ts';
import { similarIncidents } from './similar-incidents.ts';

export interface OrchestratorParts extends ServiceParts {
  readonly reasoner: Reasoner;
  readonly controls: Controls;
  /** Written by the batch scheduler. */
  readonly patterns: Documents<FalsePositivePattern>;
  /** @defaultValue in memory */
  readonly investigations?: Documents<StoredInvestigation>;
  /** @defaultValue in memory */
  readonly exposures?: Documents<Exposure>;
  /** @defaultValue in memory */
  readonly detections?: Documents<Detection>;
}

/** An investigation, and where its records go on. */
export interface StoredInvestigation {
  readonly investigation: Investigation;
  readonly lineage: Lineage;
}

/** States in which the orchestrator waits for nothing more from the alert itself. */
const settledStates: ReadonlySet<InvestigationState> = new Set([
  'awaiting_human',
  'responding',
  'closed',
  'failed',
]);

/** Leads each alert through an investigation, as a graph of LangGraph, and records every step from one state to another. */
export class Orchestrator implements Service, Steps {
  readonly name = 'orchestrator';
  readonly #parts: OrchestratorParts;
  readonly #investigations: Documents<StoredInvestigation>;
  readonly #exposures: Documents<Exposure>;
  readonly #detections: Documents<Detection>;
  readonly #records: InvestigationRecords;
  readonly #graph: ReturnType<typeof investigationGraph>;
  #subscriptions: (() => Promise<void>)[] = [];

  constructor(parts: OrchestratorParts) {
    this.#parts = parts;
    this.#investigations = parts.investigations ?? new MemoryDocuments();
    this.#exposures = parts.exposures ?? new MemoryDocuments();
    this.#detections = parts.detections ?? new MemoryDocuments();
    this.#records = new InvestigationRecords(new Recorder(this.name, parts.ids, parts.audit), parts.settings);
    this.#graph = investigationGraph(this);
  }

  async start(): Promise<void> {
    const { topics } = this.#parts;
    this.#subscriptions = [
      await topics.subscribe('ctem.normalized', this.name, ({ value }) =>
        this.#exposures.put(value.tenant_id, value.exposure_key, value),
      ),
      await topics.subscribe('atlas.detections', this.name, ({ value }) =>
        this.#detections.put(value.tenant_id, value.detection_id, value),
      ),
      await topics.subscribe('actions.settled', this.name, (message) => this.#settle(message)),
      await topics.subscribe('alerts.normalized', this.name, (message) => this.#investigate(message)),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()));
  }

  /** @returns `undefined` if there is no such investigation of the tenant */
  async find(tenantId: string, investigationId: string): Promise<Investigation | undefined> {
    return (await this.#investigations.get(tenantId, investigationId))?.investigation;
  }

  async #investigate({ value: alert, lineage }: Message<Alert>): Promise<void> {
    const investigationId = investigationIdOf(alert.alert_id);
    const known = await this.#investigations.get(alert.tenant_id, investigationId);
    // The alert was delivered twice.
    if (known !== undefined && settledStates.has(known.investigation.state)) return;
    const ofInvestigation = { ...lineage, alertId: alert.alert_id, investigationId };
    try {
      await this.#graph.invoke({ alert, lineage: ofInvestigation });
    } catch (error) {
      const stored = await this.#investigations.get(alert.tenant_id, investigationId);
      // Nothing is stored yet: the topic delivers the alert again.
      if (stored === undefined) throw error;
      const { investigation, lineage: last } = stored;
      const reason = error instanceof Error ? error.message : String(error);
      await this.#publish(
        await this.#move(last, investigation, 'failed', `an error ended the investigation: ${reason}`),
      );
    }
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
    return this.#move(lineage, investigation, 'received', `an alert of ${alert.source} arrived`, 'none');
  }

  async parse({ alert, lineage, investigation }: GraphState) {
    const { patterns, settings, controls } = this.#parts;
    const moved = await this.#move(
      lineage,
      investigation,
      'parsing',
      'the alert is checked for known false positives',
    );
    const known = await patterns.list(alert.tenant_id);
    return {
      ...moved,
      patterns: await checkPatterns(alert, known, settings.shortCircuit.minimumScore, controls),
    };
  }

  async shortCircuit({ alert, lineage, investigation, patterns }: GraphState) {
    const { pattern, score } = patterns.match!;
    const skipped = this.#records.shortCircuited(lineage, alert, patterns);
    const closed = this.#records.autoClosed(after(lineage, skipped), alert, { pattern, confidence: score });
    return this.#publish(
      await this.#move(
        after(lineage, closed),
        { ...investigation, verdict: 'false_positive', confidence: score, ...this.#closing('pattern') },
        'closed',
        `the alert fits pattern ${pattern.pattern_id}`,
      ),
    );
  }

  beginEnrichment({ lineage, investigation, patterns }: GraphState) {
    const reason =
      patterns.withheld === undefined
        ? `none of ${patterns.checked} patterns fits`
        : `a pattern fits and was not applied: ${patterns.withheld}`;
    return this.#move(lineage, investigation, 'enriching', reason);
  }

  async findSimilar({ alert }: GraphState) {
    const { clock, settings } = this.#parts;
    const all = await this.#investigations.list(alert.tenant_id);
    const closed = all.map((stored) => stored.investigation).filter(({ state }) => state === 'closed');
    const compared = { tenantId: alert.tenant_id, text: alert.title, techniques: alert.techniques };
    return { similar: similarIncidents(compared, closed, clock.now(), settings.investigation) };
  }

  async matchExposures({ alert }: GraphState) {
    const hosts = alert.entities
      .filter(({ kind }) => kind === 'host')
      .map(({ value }) => value.split('.')[0]!);
    const all = await this.#exposures.list(alert.tenant_id);
    const isAffected = (asset: string) => hosts.includes(asset.toLowerCase().split('.')[0]!);
    return {
      exposures: all.filter(({ state, asset }) => state === 'open' && isAffected(asset)).slice(0, 10),
    };
  }

  async matchDetections({ alert }: GraphState) {
    const { clock, settings } = this.#parts;
    const values = new Set(alert.entities.map(({ value }) => value.toLowerCase()));
    const recent = (await this.#detections.list(alert.tenant_id)).filter(
      ({ time }) => clock.now() - Date.parse(time) < settings.investigation.detectionsOfLastMs,
    );
    const concerns = ({ subject, techniques }: Detection) =>
      values.has(subject.toLowerCase()) || techniques.some((id) => alert.techniques.includes(id));
    return { detections: recent.filter(concerns).slice(0, 10) };
  }

  async reason(state: GraphState) {
    const { alert, lineage, investigation } = state;
    const enriched = this.#records.enriched(lineage, investigation, state);
    const moved = await this.#move(
      after(lineage, enriched),
      investigation,
      'reasoning',
      'the evidence is complete',
    );
    const request = this.#request(state, moved.lineage);
    const { reasoner, settings } = this.#parts;
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
    const concluded: Investigation = {
      ...investigation,
      verdict: reasoning.verdict,
      confidence: reasoning.confidence,
      summary: reasoning.summary,
      techniques: [...new Set([...investigation.techniques, ...reasoning.techniques])],
    };
    const doubts = doubtsAbout(alert, reasoning, this.#parts.settings.investigation);
    const isHarmless = reasoning.verdict === 'benign' || reasoning.verdict === 'false_positive';
    if (isHarmless && doubts.length === 0)
      return { investigation: concluded, plan: undefined, humanReasons: [] };
    const { ids, controls } = this.#parts;
    const isAttack = reasoning.verdict === 'true_positive';
    const { playbook, considered } = selectPlaybook(isAttack ? concluded.techniques : []);
    const { investigation_id } = investigation;
    const actions = isAttack
      ? planActions(playbook, reasoning.recommendedActions, alert.entities, investigation_id, ids)
      : [];
    const plan: ResponsePlan = {
      plan_id: ids.next('plan'),
      investigation_id,
      tenant_id: alert.tenant_id,
      alert_id: alert.alert_id,
      severity: alert.severity,
      playbook_id: playbook.playbook_id,
      // What a human must confirm comes first, so that nothing is done before.
      actions: [...(doubts.length > 0 ? [confirmation(investigation_id, doubts, ids)] : []), ...actions],
      shadow: await controls.isShadow(alert.tenant_id),
    };
    const selected = this.#records.playbookSelected(lineage, playbook, considered, plan, reasoning);
    const large = actions.filter(({ tier }) => tier >= this.#parts.settings.investigation.humanFromTier);
    return {
      lineage: after(lineage, selected),
      investigation: concluded,
      plan,
      humanReasons: [...doubts, ...large.map(({ kind, tier }) => `${kind} is an action of tier ${tier}`)],
    };
  }

  async closeByAnalysis({ alert, lineage, investigation, reasoning }: GraphState) {
    const confidence = reasoning.confidence ?? 0;
    const closed = this.#records.autoClosed(after(lineage, reasoning.eventId), alert, {
      reasoning,
      confidence,
    });
    return this.#publish(
      await this.#move(
        after(lineage, closed),
        { ...investigation, ...this.#closing('analysis') },
        'closed',
        `the model concluded ${reasoning.verdict} with confidence ${confidence}`,
      ),
    );
  }

  async awaitHuman({ alert, lineage, investigation, reasoning, plan, humanReasons }: GraphState) {
    const escalated = this.#records.escalated(lineage, alert, humanReasons, reasoning);
    const moved = await this.#move(
      after(lineage, escalated),
      investigation,
      'awaiting_human',
      humanReasons.join('; '),
    );
    return this.#handOver(moved, plan!);
  }

  async respond({ lineage, investigation, plan }: GraphState) {
    const count = plan!.actions.length;
    const moved = await this.#move(
      lineage,
      investigation,
      'responding',
      `${count} actions run by themselves`,
    );
    return this.#handOver(moved, plan!);
  }

  /** The response agent has ended a plan. */
  async #settle({ value: report }: Message<ResponseReport>): Promise<void> {
    const stored = await this.#investigations.get(report.tenant_id, report.investigation_id);
    if (stored === undefined) {
      throw new RejectedMessage('INVESTIGATION_UNKNOWN', 'there is no such investigation of the tenant');
    }
    let { investigation, lineage } = stored;
    // The report was delivered twice.
    if (investigation.state !== 'awaiting_human' && investigation.state !== 'responding') return;
    const count = (...results: string[]) =>
      report.results.filter(({ result }) => results.includes(result)).length;
    const problems = count('failed', 'unknown', 'rolled_back');
    if (investigation.state === 'awaiting_human' && count('executed') > 0) {
      const moved = await this.#move(lineage, investigation, 'responding', 'people have decided');
      ({ investigation, lineage } = moved);
    }
    const summary = `${count('executed', 'shadowed')} of ${report.results.length} actions done, ${count('denied')} denied, ${count('timed_out')} timed out, ${problems} with problems`;
    const isHuman = investigation.state === 'awaiting_human' || count('denied', 'timed_out') > 0;
    const by = count('timed_out') > 0 ? 'timeout' : isHuman ? 'human' : 'response';
    await this.#publish(
      problems > 0
        ? await this.#move(lineage, investigation, 'failed', summary)
        : await this.#move(lineage, { ...investigation, ...this.#closing(by) }, 'closed', summary),
    );
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

  #closing(closed_by: NonNullable<Investigation['closed_by']>) {
    return { closed_by, closed_at: new Date(this.#parts.clock.now()).toISOString() };
  }

  /** Records the step, then stores the state. A crash in between repeats the step after the alert is delivered again. */
  async #move(
    lineage: Lineage,
    investigation: Investigation,
    to: InvestigationState,
    reason: string,
    from: InvestigationState | 'none' = investigation.state,
  ) {
    const moved = { ...investigation, state: to };
    const changed = this.#records.stateChanged(lineage, moved, from, reason);
    const stored = { investigation: moved, lineage: after(lineage, changed) };
    await this.#investigations.put(moved.tenant_id, moved.investigation_id, stored);
    return stored;
  }

  async #publish({ investigation, lineage }: StoredInvestigation) {
    await this.#parts.topics.publish('investigations', {
      key: investigation.investigation_id,
      lineage,
      value: investigation,
    });
    return { investigation, lineage };
  }

  async #handOver(moved: StoredInvestigation, plan: ResponsePlan) {
    await this.#publish(moved);
    const { lineage } = moved;
    await this.#parts.topics.publish('actions.pending', { key: plan.investigation_id, lineage, value: plan });
    return moved;
  }
}
