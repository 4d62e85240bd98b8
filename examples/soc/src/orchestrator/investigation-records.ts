import type { Alert } from '../platform/alert.ts';
import type { Detection } from '../platform/detection.ts';
import type { Exposure } from '../platform/exposure.ts';
import type { Investigation, InvestigationState, ResponsePlan } from '../platform/investigation.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Reasoning } from '../platform/reasoning.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Settings } from '../platform/settings.ts';
import type { PatternCheck } from './false-positives.ts';
import type { Playbook } from './playbooks.ts';
import type { SimilarIncident } from './similar-incidents.ts';

/** What was found around an alert before a model was asked. */
export interface Enrichment {
  readonly similar: readonly SimilarIncident[];
  readonly exposures: readonly Exposure[];
  readonly detections: readonly Detection[];
}

/** The events of the orchestrator. Each method records one, and returns its id. */
export class InvestigationRecords {
  readonly #recorder: Recorder;
  readonly #settings: Settings;

  constructor(recorder: Recorder, settings: Settings) {
    this.#recorder = recorder;
    this.#settings = settings;
  }

  stateChanged(
    lineage: Lineage,
    investigation: Investigation,
    before: InvestigationState | 'none',
    reason: string,
  ): string {
    return this.#recorder.emit('investigation.state_changed', lineage, {
      targetType: 'investigation',
      targetId: investigation.investigation_id,
      decision: {
        decision_type: 'state',
        classification: investigation.verdict,
        confidence: investigation.confidence,
        severity_assigned: investigation.severity,
        reasoning_summary: reason,
      },
      outcome: {
        outcome_status: investigation.state === 'failed' ? 'failure' : 'success',
        state_before: before,
        state_after: investigation.state,
      },
    });
  }

  shortCircuited(lineage: Lineage, alert: Alert, { checked, match }: PatternCheck): string {
    const { pattern, score } = match!;
    return this.#recorder.emit('alert.short_circuited', lineage, {
      targetType: 'alert',
      targetId: alert.alert_id,
      context: {
        fp_patterns_checked: checked,
        fp_pattern_matched: pattern.pattern_id,
        pattern_approved_by: [...pattern.approved_by],
      },
      decision: {
        decision_type: 'short_circuit',
        classification: 'false_positive',
        confidence: score,
        confidence_basis: 'how well source, title, techniques and entities fit the pattern',
        reasoning_summary: `the alert fits the false-positive pattern "${pattern.title}"; no model was asked`,
        constraints_applied: [`at least ${this.#settings.shortCircuit.minimumScore}`],
      },
      outcome: { outcome_status: 'success', action_taken: 'analysis skipped' },
    });
  }

  autoClosed(
    lineage: Lineage,
    alert: Alert,
    basis: {
      readonly pattern?: FalsePositivePattern;
      readonly reasoning?: Reasoning;
      readonly confidence: number;
    },
  ): string {
    const { pattern, reasoning, confidence } = basis;
    return this.#recorder.emit('alert.auto_closed', lineage, {
      targetType: 'alert',
      targetId: alert.alert_id,
      context: {
        ...(pattern !== undefined && { fp_pattern_matched: pattern.pattern_id }),
        ...(reasoning !== undefined && { evidence_refs: [reasoning.eventId] }),
      },
      decision: {
        decision_type: 'close',
        classification: reasoning?.verdict ?? 'false_positive',
        confidence,
        confidence_basis: pattern === undefined ? 'stated by the model' : 'the score of the pattern',
        reasoning_summary: reasoning?.summary ?? `pattern ${pattern!.pattern_id}`,
      },
      outcome: { outcome_status: 'success', action_taken: 'closed' },
    });
  }

  enriched(
    lineage: Lineage,
    investigation: Investigation,
    { similar, exposures, detections }: Enrichment,
  ): string {
    const found = similar.length + exposures.length + detections.length;
    return this.#recorder.emit('investigation.enriched', lineage, {
      targetType: 'investigation',
      targetId: investigation.investigation_id,
      context: {
        retrieval_stores_queried: ['investigations', 'exposures', 'detections'],
        retrieval_results_count: found,
        retrieval_sources: [
          ...similar.map((one) => one.investigation.investigation_id),
          ...exposures.map(({ exposure_id }) => exposure_id),
          ...detections.map(({ detection_id }) => detection_id),
        ],
        similar_incidents_found: similar.length,
        similar_incident_scores: similar.map(({ score }) => score),
        ctem_exposures_matched: exposures.length,
        atlas_detections_matched: detections.length,
      },
      outcome: { outcome_status: 'success', action_taken: 'enriched' },
    });
  }

  escalated(lineage: Lineage, alert: Alert, reasons: readonly string[], reasoning: Reasoning): string {
    return this.#recorder.emit('alert.escalated', lineage, {
      severity: 'warning',
      targetType: 'alert',
      targetId: alert.alert_id,
      context: { evidence_refs: [reasoning.eventId] },
      decision: {
        decision_type: 'escalation',
        classification: reasoning.verdict ?? reasoning.status,
        confidence: reasoning.confidence,
        severity_assigned: alert.severity,
        reasoning_summary: reasons.join('; '),
      },
      outcome: { outcome_status: 'pending', action_taken: 'handed to a human' },
    });
  }

  playbookSelected(
    lineage: Lineage,
    playbook: Playbook,
    considered: readonly string[],
    plan: ResponsePlan,
    reasoning: Reasoning,
  ): string {
    return this.#recorder.emit('playbook.selected', lineage, {
      targetType: 'playbook',
      targetId: playbook.playbook_id,
      context: { plan_id: plan.plan_id, techniques_identified: [...reasoning.techniques] },
      decision: {
        decision_type: 'playbook',
        classification: playbook.playbook_id,
        confidence: reasoning.confidence,
        recommended_actions: plan.actions.map(({ kind, target }) => `${kind} ${target.type}:${target.id}`),
        reasoning_summary: `${playbook.title}: ${reasoning.techniques.join(', ') || 'no technique'}`,
        alternatives_considered: [...considered],
        constraints_applied: reasoning.recommendedActions
          .filter((kind) => !plan.actions.some((action) => action.kind === kind))
          .map((kind) => `${kind} was recommended, and the playbook or the alert has nothing for it`),
      },
      outcome: { outcome_status: 'success' },
    });
  }
}
