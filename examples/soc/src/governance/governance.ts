import type { Alert } from '../platform/alert.ts';
import type { Controls, KillScope } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Investigation, PlannedAction } from '../platform/investigation.ts';
import { after, type Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import type { Message } from '../platform/topics.ts';
import { AccumulationGuard } from './accumulation-guard.ts';
import { type Canary, compare } from './canary.ts';
import type { ThreatIntelligence } from './indicators.ts';
import { idOf, KillSwitches } from './kill-switches.ts';
import { type KnowledgeArticle, KnowledgeBase } from './knowledge-base.ts';
import { GovernanceRefused } from './refusal.ts';
import { changeSetting } from './setting-paths.ts';

export interface GovernanceParts extends ServiceParts {
  readonly intelligence: ThreatIntelligence;
}

/** How a tenant leaves shadow mode. */
interface ShadowMode {
  readonly shadow: boolean;
  readonly approved_by: readonly string[];
}

/** People who must approve that a tenant leaves shadow mode. */
const goLiveApprovers = 2;
/** Indicators of one alert that are looked up. */
const maxIndicators = 20;
const indicatorKinds: ReadonlySet<string> = new Set(['ip', 'dns', 'filehash', 'url']);

/**
 * What people decide about the platform itself: its settings, kill switches, shadow mode and canaries. It also looks up indicators, keeps the
 * knowledge base and writes final reports.
 */
export class Governance implements Service, Controls {
  readonly name = 'governance';
  readonly #parts: GovernanceParts;
  readonly #recorder: Recorder;
  readonly #killSwitches = new KillSwitches();
  readonly #accumulation: AccumulationGuard;
  readonly #shadowModes: Documents<ShadowMode> = new MemoryDocuments();
  readonly #canaries: Documents<Canary> = new MemoryDocuments();
  readonly #knowledge = new KnowledgeBase();
  readonly #reported: Documents<true> = new MemoryDocuments();
  #subscriptions: (() => Promise<void>)[] = [];

  constructor(parts: GovernanceParts) {
    this.#parts = parts;
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
    this.#accumulation = new AccumulationGuard(parts.settings.governance, parts.clock);
  }

  async start(): Promise<void> {
    const { topics } = this.#parts;
    this.#subscriptions = [
      await topics.subscribe('alerts.normalized', this.name, (message) => this.#enrichIndicators(message)),
      await topics.subscribe('investigations', this.name, (message) => this.#report(message)),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()));
  }

  isKilled(tenantId: string, scopes: readonly KillScope[]): Promise<boolean> {
    return this.#killSwitches.isActive(tenantId, scopes);
  }

  async isShadow(tenantId: string): Promise<boolean> {
    const mode = await this.#shadowModes.get(tenantId, 'mode');
    return mode?.shadow ?? this.#parts.tenants.find(tenantId)?.shadow ?? true;
  }

  async admitAutomatic(lineage: Lineage, action: PlannedAction): Promise<boolean> {
    const { tenantId } = lineage;
    if (await this.isKilled(tenantId, [{ kind: 'tenant', value: tenantId }])) return false;
    const { admitted, count, isBreach } = this.#accumulation.count(tenantId);
    if (isBreach) this.#recordBreach(lineage, action, count);
    return admitted;
  }

  /** @throws {GovernanceRefused} `SETTING_UNKNOWN`, `SETTING_INVALID`, `NO_CHANGE` */
  async changeSetting(
    path: string,
    value: number | boolean | string,
    person: string,
    reason: string,
    lineage: Lineage,
  ) {
    const { before, after: changed } = changeSetting(this.#parts.settings, path, value);
    this.#recorder.emit('config.changed', lineage, {
      actorType: 'user',
      actorId: person,
      severity: 'warning',
      targetType: 'setting',
      targetId: path,
      context: { value_before: before, value_after: changed },
      decision: { decision_type: 'configuration', reasoning_summary: reason },
      outcome: { outcome_status: 'success', state_before: String(before), state_after: String(changed) },
    });
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` */
  async activateKillSwitch(
    scope: KillScope,
    person: string,
    reason: string,
    lineage: Lineage,
  ): Promise<void> {
    await this.#killSwitches.set(lineage.tenantId, scope, true);
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
  async deactivateKillSwitch(
    scope: KillScope,
    person: string,
    reason: string,
    lineage: Lineage,
  ): Promise<void> {
    await this.#killSwitches.set(lineage.tenantId, scope, false);
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
    const known = (await this.#shadowModes.get(tenantId, 'mode'))?.approved_by ?? [];
    if (known.includes(person)) {
      throw new GovernanceRefused('SAME_PERSON', `${person} has approved it; another person must`);
    }
    const approved_by = [...known, person];
    const isLive = approved_by.length >= goLiveApprovers;
    await this.#shadowModes.put(tenantId, 'mode', { shadow: !isLive, approved_by });
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

  /** Begins to compare a new version with the current one. */
  async startCanary(candidate: string, lineage: Lineage): Promise<string> {
    const canary: Canary = {
      canary_id: this.#parts.ids.next('canary'),
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
  async compareCanary(canaryId: string, agrees: boolean, lineage: Lineage): Promise<Canary['state']> {
    const canary = await this.#canaries.get(lineage.tenantId, canaryId);
    if (canary?.state !== 'running') {
      throw new GovernanceRefused('CANARY_UNKNOWN', `no canary ${canaryId} is running for the tenant`);
    }
    const next = compare(canary, agrees, this.#parts.settings.governance);
    await this.#canaries.put(lineage.tenantId, canaryId, next);
    if (next.state === 'promoted') {
      this.#recorder.emit('canary.promoted', lineage, {
        targetType: 'canary',
        targetId: canaryId,
        ...this.#canaryJudgement(next),
        outcome: { outcome_status: 'success', state_before: 'running', state_after: 'promoted' },
      });
    }
    if (next.state === 'rolled_back') {
      this.#recorder.emit('canary.rolled_back', lineage, {
        severity: 'warning',
        targetType: 'canary',
        targetId: canaryId,
        ...this.#canaryJudgement(next),
        outcome: { outcome_status: 'rolled_back', state_before: 'running', state_after: 'rolled_back' },
      });
    }
    return next.state;
  }

  /** Brings the knowledge base of a tenant up to date. Nothing is recorded if nothing changed. */
  async refreshKnowledge(articles: readonly KnowledgeArticle[], lineage: Lineage): Promise<void> {
    const { added, changed, removed, unchanged } = this.#knowledge.refresh(lineage.tenantId, articles);
    if (added.length + changed.length + removed.length === 0) return;
    const indexed = this.#recorder.emit('knowledge.indexed', lineage, {
      targetType: 'knowledge_base',
      targetId: lineage.tenantId,
      context: {
        articles_added: added,
        articles_changed: changed,
        articles_removed: removed,
        articles_unchanged: unchanged,
      },
      outcome: { outcome_status: 'success', action_taken: 'indexed' },
    });
    if (changed.length === 0) return;
    this.#recorder.emit('embedding.reindexed', after(lineage, indexed), {
      targetType: 'knowledge_base',
      targetId: lineage.tenantId,
      context: { articles_changed: changed, embedding_model: 'hashed words, 64 dimensions' },
      outcome: { outcome_status: 'success', action_taken: 'vectors replaced' },
    });
  }

  async #enrichIndicators({ value: alert, lineage }: Message<Alert>): Promise<void> {
    const indicators = alert.entities.filter(({ kind }) => indicatorKinds.has(kind)).slice(0, maxIndicators);
    for (const { id, kind, value } of indicators) {
      const { reputation, sources } = await this.#parts.intelligence.lookUp({ kind, value });
      if (reputation === 'unknown') continue;
      this.#recorder.emit(
        'ioc.enriched',
        { ...lineage, alertId: alert.alert_id },
        {
          severity: reputation === 'malicious' ? 'warning' : 'info',
          targetType: kind,
          targetId: value,
          entityIds: [id],
          context: { retrieval_sources: [...sources] },
          decision: { decision_type: 'indicator', classification: reputation },
          outcome: { outcome_status: 'success', action_taken: 'looked up' },
        },
      );
    }
  }

  /** Writes the final report of a closed investigation, once. */
  async #report({ value: investigation, lineage }: Message<Investigation>): Promise<void> {
    const { tenant_id, investigation_id, state, closed_by, verdict, confidence } = investigation;
    if (state !== 'closed' || (await this.#reported.get(tenant_id, investigation_id))) return;
    this.#recorder.emit('response.generated', lineage, {
      targetType: 'investigation',
      targetId: investigation_id,
      decision: {
        decision_type: 'report',
        classification: verdict,
        confidence,
        severity_assigned: investigation.severity,
        reasoning_summary: reportOf(investigation),
      },
      outcome: {
        outcome_status: 'success',
        action_taken: 'report written',
        state_after: `closed by ${closed_by}`,
      },
    });
    await this.#reported.put(tenant_id, investigation_id, true);
  }

  #canaryJudgement({ candidate, compared, agreed }: Canary) {
    const { promoteFromAgreement } = this.#parts.settings.governance.canary;
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

  #recordBreach(lineage: Lineage, action: PlannedAction, count: number): void {
    const { maxActions, windowMs } = this.#parts.settings.governance.accumulation;
    this.#recorder.emit('accumulation.threshold_breached', lineage, {
      severity: 'critical',
      targetType: 'tenant',
      targetId: lineage.tenantId,
      context: {
        actions_in_window: count,
        limit: maxActions,
        window_ms: windowMs,
        action_id: action.action_id,
      },
      decision: {
        decision_type: 'accumulation',
        classification: 'breach',
        reasoning_summary: `${action.kind} would be automatic action ${count} within ${windowMs / 60_000} minutes; ${maxActions} are permitted`,
      },
      outcome: { outcome_status: 'blocked', action_taken: 'a human must approve' },
    });
  }
}

function reportOf({ title, source, verdict, closed_by, summary, techniques }: Investigation): string {
  return [
    `${source}: ${title}.`,
    `Verdict: ${verdict ?? 'none'}, closed by ${closed_by ?? 'an unknown way'}.`,
    ...(techniques.length > 0 ? [`Techniques: ${techniques.join(', ')}.`] : []),
    ...(summary === undefined ? [] : [summary]),
  ].join(' ');
}
