import type { Controls, KillScope } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { PlannedAction } from '../platform/investigation.ts';
import type { Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { separateChanges, type Units } from '../platform/unit-of-work.ts';
import { AccumulationGuard } from './accumulation-guard.ts';
import { Canaries } from './canaries.ts';
import type { Canary } from './canary.ts';
import { FinalReports } from './final-reports.ts';
import { IndicatorLookUps } from './indicator-look-ups.ts';
import type { ThreatIntelligence } from './indicators.ts';
import { type KillSwitch, KillSwitches } from './kill-switches.ts';
import type { KnowledgeArticle } from './knowledge-base.ts';
import { KnowledgeRefresh } from './knowledge-refresh.ts';
import { changeSetting } from './setting-paths.ts';
import { type ShadowMode, ShadowModes } from './shadow-modes.ts';

export interface GovernanceParts extends ServiceParts {
  readonly intelligence: ThreatIntelligence;
  /** @defaultValue in memory */
  readonly killSwitches?: Documents<KillSwitch> | undefined;
  /** @defaultValue in memory */
  readonly shadowModes?: Documents<ShadowMode> | undefined;
  /** Investigations whose final report is written. @defaultValue in memory */
  readonly reported?: Documents<true> | undefined;
}

/**
 * What people decide about the platform itself: its settings, kill switches, shadow mode and canaries. It also looks up indicators, keeps the
 * knowledge base and writes final reports.
 */
export class Governance implements Service, Controls {
  readonly name = 'governance';
  readonly #parts: GovernanceParts;
  readonly #recorder: Recorder;
  readonly #units: Units;
  readonly #killSwitches: KillSwitches;
  readonly #accumulation: AccumulationGuard;
  readonly #shadowModes: ShadowModes;
  readonly #canaries: Canaries;
  readonly #knowledge: KnowledgeRefresh;
  readonly #lookUps: IndicatorLookUps;
  readonly #reports: FinalReports;
  #subscriptions: (() => Promise<void>)[] = [];

  constructor(parts: GovernanceParts) {
    this.#parts = parts;
    const recorder = new Recorder(this.name, parts.ids, parts.audit);
    this.#recorder = recorder;
    this.#units = parts.units ?? separateChanges;
    this.#killSwitches = new KillSwitches(recorder, parts.killSwitches);
    this.#accumulation = new AccumulationGuard(parts.settings.governance, parts.clock);
    this.#shadowModes = new ShadowModes(parts.tenants, recorder, parts.shadowModes);
    this.#canaries = new Canaries(parts, recorder);
    this.#knowledge = new KnowledgeRefresh(recorder);
    this.#lookUps = new IndicatorLookUps(parts.intelligence, recorder);
    const { documentsPerTenant: keep } = parts.settings.memory;
    this.#reports = new FinalReports(recorder, parts.reported ?? new MemoryDocuments({ keep }));
  }

  async start(): Promise<void> {
    const { topics } = this.#parts;
    this.#subscriptions = [
      await topics.subscribe('alerts.normalized', this.name, (message) => this.#lookUps.enrich(message)),
      await topics.subscribe('investigations', this.name, (message) => this.#reports.write(message)),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((unsubscribe) => unsubscribe()));
  }

  isKilled(tenantId: string, scopes: readonly KillScope[]): Promise<boolean> {
    return this.#killSwitches.isActive(tenantId, scopes);
  }

  isShadow(tenantId: string): Promise<boolean> {
    return this.#shadowModes.isShadow(tenantId);
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
  activateKillSwitch(scope: KillScope, person: string, reason: string, lineage: Lineage): Promise<void> {
    return this.#units.run(() => this.#killSwitches.activate(scope, person, reason, lineage));
  }

  /** @throws {GovernanceRefused} `NO_CHANGE` */
  deactivateKillSwitch(scope: KillScope, person: string, reason: string, lineage: Lineage): Promise<void> {
    return this.#units.run(() => this.#killSwitches.deactivate(scope, person, reason, lineage));
  }

  /**
   * A person approves that a tenant leaves shadow mode. The second one ends it.
   *
   * @returns whether the tenant is live now
   * @throws {GovernanceRefused} `NOT_IN_SHADOW`, `SAME_PERSON`
   */
  approveGoLive(person: string, reason: string, lineage: Lineage): Promise<boolean> {
    return this.#units.run(() => this.#shadowModes.approveGoLive(person, reason, lineage));
  }

  /** Begins to compare a new version with the current one. */
  startCanary(candidate: string, lineage: Lineage): Promise<string> {
    return this.#canaries.start(candidate, lineage);
  }

  /**
   * Compares one decision of the candidate with that of the current version.
   *
   * @throws {GovernanceRefused} `CANARY_UNKNOWN` also for a canary that was judged
   */
  compareCanary(canaryId: string, agrees: boolean, lineage: Lineage): Promise<Canary['state']> {
    return this.#canaries.compare(canaryId, agrees, lineage);
  }

  /** Brings the knowledge base of a tenant up to date. Nothing is recorded if nothing changed. */
  async refreshKnowledge(articles: readonly KnowledgeArticle[], lineage: Lineage): Promise<void> {
    this.#knowledge.refresh(articles, lineage);
  }

  #recordBreach(lineage: Lineage, action: PlannedAction, count: number): void {
    const { maxActions, windowMs } = this.#parts.settings.governance.accumulation;
    this.#recorder.emitFinal('accumulation.threshold_breached', lineage, {
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
