import type { Alert } from '../platform/alert.ts';
import type { Ids } from '../platform/ids.ts';
import { actionTiers, type PlannedAction } from '../platform/investigation.ts';
import type { Reasoning, ReasoningRequest } from '../platform/reasoning.ts';
import type { Settings } from '../platform/settings.ts';
import type { GraphState } from './investigation-graph.ts';

export function isSevere({ severity }: Alert): boolean {
  return severity === 'critical' || severity === 'high';
}

/** Why a human must look at the conclusion of a model; empty if it can stand. */
export function doubtsAbout(
  alert: Alert,
  { status, verdict, confidence = 0, reason }: Reasoning,
  { minimumConfidence }: Settings['investigation'],
): string[] {
  if (status !== 'answered') return [`no conclusion: ${reason ?? status}`];
  // The model has read less than the alert says, or was lied to. Its word alone must not close the alert.
  if (alert.injection.length > 0 && verdict !== 'true_positive') return ['the alert addresses a model'];
  if (verdict === 'inconclusive') return ['the model could not tell'];
  if (confidence < minimumConfidence && isSevere(alert)) {
    return [`confidence ${confidence} is below ${minimumConfidence} for a ${alert.severity} alert`];
  }
  return [];
}

/** Asks a human to confirm what the platform concluded. */
export function confirmation(investigationId: string, doubts: readonly string[], ids: Ids): PlannedAction {
  return {
    action_id: ids.next('action'),
    kind: 'confirm_verdict',
    target: { type: 'investigation', id: investigationId },
    tier: actionTiers.confirm_verdict,
    reason: doubts.join('; '),
  };
}

/** What a model may read about an alert, the most important first. */
export function evidenceOf({
  alert,
  similar,
  exposures,
  detections,
}: GraphState): ReasoningRequest['evidence'] {
  return [
    { ref: alert.alert_id, text: textOf(alert) },
    ...detections.map(({ detection_id, rule, evidence }) => ({
      ref: detection_id,
      text: `${rule}: ${evidence.join('; ')}`,
    })),
    ...exposures.map(({ exposure_id, title, asset, severity }) => ({
      ref: exposure_id,
      text: `${severity} exposure of ${asset}: ${title}`,
    })),
    ...similar.map(({ investigation, score }) => ({
      ref: investigation.investigation_id,
      text: `similar incident: ${investigation.verdict ?? 'no verdict'}, score ${score}, ${investigation.title}`,
    })),
  ];
}

function textOf({ title, description, source, severity, techniques, entities }: Alert): string {
  return [
    `${severity} alert of ${source}: ${title}`,
    description,
    techniques.length > 0 ? `techniques: ${techniques.join(', ')}` : '',
    entities.length > 0 ? `entities: ${entities.map(({ id }) => id).join(', ')}` : '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}
