import type { Controls, KillScope } from '../platform/controls.ts';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { PlannedAction } from '../platform/investigation.ts';
import type { Lineage } from '../platform/lineage.ts';
import { Recorder } from '../platform/recorder.ts';
import type { Service, ServiceParts } from '../platform/service.ts';
import { platformTenant } from '../platform/tenants.ts';
import { Turns } from '../platform/turns.ts';
import { independently, separateChanges, type Units } from '../platform/unit-of-work.ts';
import { AccumulationGuard, type CountedActions } from './accumulation-guard.ts';
import { Canaries } from './canaries.ts';
import type { Canary } from './canary.ts';
import { FinalReports } from './final-reports.ts';
import { IndicatorLookUps } from './indicator-look-ups.ts';
import type { ThreatIntelligence } from './indicators.ts';
import { type KillSwitch, KillSwitches } from './kill-switches.ts';
import type { KnowledgeArticle, KnowledgeIndex } from './knowledge-base.ts';
import { KnowledgeRefresh } from './knowledge-refresh.ts';
import { GovernanceRefused } from './refusal.ts';
import { type ChangedSetting, changeSetting } from './setting-paths.ts';
import { type ShadowMode, ShadowModes } from './shadow-modes.ts';

export interface GovernanceParts extends ServiceParts {
  readonly intelligence: ThreatIntelligence;
  /** @defaultValue in memory */
  readonly killSwitches?: Documents<KillSwitch> | undefined;
  /** @defaultValue in memory */
  readonly shadowModes?: Documents<ShadowMode> | undefined;
  /** @defaultValue in memory */
  readonly canaries?: Documents<Canary> | undefined;
  /** Automatic actions that count towards the limit. @defaultValue in memory */
  readonly automaticActions?: Documents<CountedActions> | undefined;
  /** Settings that people have changed. They hold again after a restart. @defaultValue in memory */
  readonly changedSettings?: Documents<ChangedSetting> | undefined;
  /** @defaultValue in memory */
  readonly knowledge?: Documents<KnowledgeIndex> | undefined;
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
  readonly #changedSettings: Documents<ChangedSetting>;
  readonly #killSwitches: KillSwitches;
  readonly #accumulation: AccumulationGuard;
  readonly #counting = new Turns();
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
    this.#changedSettings = parts.changedSettings ?? new MemoryDocuments<ChangedSetting>();
    this.#killSwitches = new KillSwitches(recorder, parts.killSwitches);
    this.#accumulation = new AccumulationGuard(
      parts.settings.governance,
      parts.clock,
      parts.automaticActions,
    );
    this.#shadowModes = new ShadowModes(parts.tenants, recorder, parts.shadowModes);
    this.#canaries = new Canaries(parts, recorder, parts.canaries);
    this.#knowledge = new KnowledgeRefresh(recorder, parts.knowledge);
    this.#lookUps = new IndicatorLookUps(parts.intelligence, recorder);
    const { documentsPerTenant: keep } = parts.settings.memory;
    this.#reports = new FinalReports(recorder, parts.reported ?? new MemoryDocuments({ keep }));
  }

  async start(): Promise<void> {
    const { topics } = this.#parts;
    await this.#restoreSettings();
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
    // After a crash, the count and the record of a breach are both stored, or neither is. The count stays stored if the caller's work fails.
    return this.#counting.take(tenantId, () =>
      independently(this.#units, lineage, async (own) => {
        const { admitted, count, isBreach } = await this.#accumulation.count(tenantId, action.action_id);
        if (isBreach) this.#recordBreach(own, action, count);
        return admitted;
      }),
    );
  }

  /** @throws {GovernanceRefused} `SETTING_UNKNOWN`, `SETTING_INVALID`, `NO_CHANGE` */
  async changeSetting(
    path: string,
    value: number | boolean | string,
    person: string,
    reason: string,
    lineage: Lineage,
  ) {
    const { settings } = this.#parts;
    const { before, after: changed } = changeSetting(settings, path, value);
    try {
      await this.#units.run(async () => {
        await this.#changedSettings.put(platformTenant, path, { path, value });
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
      });
    } catch (error) {
      // A change that could not be recorded must not take effect.
      changeSetting(settings, path, before);
      throw error;
    }
  }

  /** Settings that people changed before a restart hold again. Each change was recorded when it was made. */
  async #restoreSettings(): Promise<void> {
    const { settings, onError } = this.#parts;
    for (const { path, value } of await this.#changedSettings.list(platformTenant)) {
      try {
        changeSetting(settings, path, value);
      } catch (error) {
        const isSame = error instanceof GovernanceRefused && error.code === 'NO_CHANGE';
        // This version of the platform does not have the setting.
        if (!isSame) onError?.(error);
      }
    }
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
    return this.#units.run(() => this.#canaries.start(candidate, lineage));
  }

  /**
   * Compares one decision of the candidate with that of the current version.
   *
   * @throws {GovernanceRefused} `CANARY_UNKNOWN` also for a canary that was judged
   */
  compareCanary(canaryId: string, agrees: boolean, lineage: Lineage): Promise<Canary['state']> {
    return this.#units.run(() => this.#canaries.compare(canaryId, agrees, lineage));
  }

  /** Brings the knowledge base of a tenant up to date. Nothing is recorded if nothing changed. */
  async refreshKnowledge(articles: readonly KnowledgeArticle[], lineage: Lineage): Promise<void> {
    await this.#units.run(() => this.#knowledge.refresh(articles, lineage));
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
