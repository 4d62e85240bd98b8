import type { PlannedAction, ResponsePlan } from '../platform/investigation.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Recorder } from '../platform/recorder.ts';
import type { Settings } from '../platform/settings.ts';

/** How an action ended, as its record says it. */
export type ExecutedOutcome = {
  readonly outcome_status: 'success' | 'failure';
  readonly action_taken: string;
  readonly action_target: string;
  readonly duration_ms: number;
  readonly reference?: string;
  readonly error_code?: string;
  readonly error_message?: string;
};

/** The events of the response agent. Each method records one. */
export class ResponseRecords {
  readonly #recorder: Recorder;
  readonly #settings: Settings['response'];

  constructor(recorder: Recorder, settings: Settings['response']) {
    this.#recorder = recorder;
    this.#settings = settings;
  }

  /** @returns the id of the event */
  prepared(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): string {
    const response = this.#settings;
    const needsHuman = action.tier > response.automaticUpToTier;
    return this.#recorder.emit('response.prepared', lineage, {
      targetType: action.target.type,
      targetId: action.target.id,
      context: {
        plan_id: plan.plan_id,
        action_id: action.action_id,
        playbook_id: plan.playbook_id,
        tier: action.tier,
      },
      decision: {
        decision_type: 'response',
        classification: action.kind,
        severity_assigned: plan.severity,
        reasoning_summary: action.reason,
        constraints_applied: needsHuman
          ? [`tier ${action.tier} needs ${response.approvalsOfTier[action.tier]} approval(s)`]
          : [`tier ${action.tier} runs by itself`],
      },
      outcome: { outcome_status: 'pending', action_taken: action.kind },
    });
  }

  executed(lineage: Lineage, plan: ResponsePlan, action: PlannedAction, outcome: ExecutedOutcome): void {
    this.#recorder.emit('response.executed', lineage, {
      severity: outcome.outcome_status === 'success' ? 'info' : 'warning',
      targetType: action.target.type,
      targetId: action.target.id,
      context: {
        plan_id: plan.plan_id,
        action_id: action.action_id,
        playbook_id: plan.playbook_id,
        tier: action.tier,
      },
      outcome,
    });
  }

  shadowed(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): void {
    this.#recorder.emit('shadow.decision_logged', lineage, {
      targetType: action.target.type,
      targetId: action.target.id,
      context: { plan_id: plan.plan_id, action_id: action.action_id, playbook_id: plan.playbook_id },
      decision: {
        decision_type: 'response',
        classification: action.kind,
        reasoning_summary: `in shadow mode ${action.kind} is not executed: ${action.reason}`,
      },
      outcome: { outcome_status: 'success', action_taken: 'none' },
    });
  }

  /** @param undone `actor` is the person who decided it; the response agent itself by default */
  rolledBack(
    lineage: Lineage,
    plan: ResponsePlan,
    action: PlannedAction,
    undone: {
      readonly reason: string;
      readonly reference: string;
      readonly actor?: { readonly actorType: 'user'; readonly actorId: string } | undefined;
    },
  ): void {
    this.#recorder.emit('response.rolled_back', lineage, {
      ...undone.actor,
      severity: 'warning',
      targetType: action.target.type,
      targetId: action.target.id,
      context: { plan_id: plan.plan_id, action_id: action.action_id, playbook_id: plan.playbook_id },
      decision: { decision_type: 'roll_back', reasoning_summary: undone.reason },
      outcome: {
        outcome_status: 'rolled_back',
        action_taken: `undo ${action.kind}`,
        action_target: `${action.target.type}:${action.target.id}`,
        reference: undone.reference,
      },
    });
  }
}
