import type { Ids } from '../platform/ids.ts';
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
  readonly #ids: Ids;
  readonly #settings: Settings['response'];

  constructor(recorder: Recorder, ids: Ids, settings: Settings['response']) {
    this.#recorder = recorder;
    this.#ids = ids;
    this.#settings = settings;
  }

  /** @returns the id of the event */
  prepared(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): string {
    const response = this.#settings;
    const needsHuman = action.tier > response.automaticUpToTier;
    return this.#recorder.emit('response.prepared', lineage, {
      ...targetOf(action),
      context: { ...placeOf(plan, action), tier: action.tier },
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

  /**
   * Call it before an action is done: if the process ends before the result is recorded, it is recorded that the result is unknown.
   *
   * @returns records how the action ended. It may be called again with a late answer.
   */
  begin(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): (outcome: ExecutedOutcome) => void {
    const announced = this.#ids.next();
    const unknown = executedEvent(plan, action, {
      outcome_status: 'failure',
      action_taken: action.kind,
      action_target: `${action.target.type}:${action.target.id}`,
      duration_ms: 0,
      ...interruption,
    });
    this.#recorder.mark('response.executed', lineage, unknown, announced);
    let auditId: string | undefined = announced;
    return (outcome) => {
      this.#recorder.emit('response.executed', lineage, executedEvent(plan, action, outcome), auditId);
      auditId = undefined;
    };
  }

  shadowed(lineage: Lineage, plan: ResponsePlan, action: PlannedAction): void {
    this.#recorder.emit('shadow.decision_logged', lineage, {
      ...targetOf(action),
      context: placeOf(plan, action),
      decision: {
        decision_type: 'response',
        classification: action.kind,
        reasoning_summary: `in shadow mode ${action.kind} is not executed: ${action.reason}`,
      },
      outcome: { outcome_status: 'success', action_taken: 'none' },
    });
  }

  /** Call it before an action is undone. @returns records that it is undone, with the reference of the change */
  beginUndo(
    lineage: Lineage,
    plan: ResponsePlan,
    action: PlannedAction,
    { reason, actor }: Undoing,
  ): (reference: string) => void {
    const auditId = this.#ids.next();
    const event = (outcome: object) => ({
      ...actor,
      severity: 'warning' as const,
      ...targetOf(action),
      context: placeOf(plan, action),
      decision: { decision_type: 'roll_back', reasoning_summary: reason },
      outcome: {
        outcome_status: 'rolled_back' as const,
        action_taken: `undo ${action.kind}`,
        action_target: `${action.target.type}:${action.target.id}`,
        ...outcome,
      },
    });
    const unknown = event({ outcome_status: 'failure', ...interruption });
    this.#recorder.mark('response.rolled_back', lineage, unknown, auditId);
    return (reference) =>
      void this.#recorder.emit('response.rolled_back', lineage, event({ reference }), auditId);
  }
}

/** Why an action is undone, and the person who decided it; the response agent itself by default. */
export interface Undoing {
  readonly reason: string;
  readonly actor?: { readonly actorType: 'user'; readonly actorId: string } | undefined;
}

const interruption = {
  error_code: 'INTERRUPTED',
  error_message: 'the process ended before it knew the result; it is unknown whether the action was done',
};

function targetOf({ target }: PlannedAction) {
  return { targetType: target.type, targetId: target.id };
}

/** The plan that an action belongs to. */
function placeOf({ plan_id, playbook_id }: ResponsePlan, { action_id }: PlannedAction) {
  return { plan_id, action_id, playbook_id };
}

function executedEvent(plan: ResponsePlan, action: PlannedAction, outcome: ExecutedOutcome) {
  return {
    severity: outcome.outcome_status === 'success' ? ('info' as const) : ('warning' as const),
    ...targetOf(action),
    context: { ...placeOf(plan, action), tier: action.tier },
    outcome,
  };
}
