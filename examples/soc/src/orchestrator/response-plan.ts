import type { Alert } from '../platform/alert.ts';
import type { Ids } from '../platform/ids.ts';
import type { Investigation, PlannedAction, ResponsePlan } from '../platform/investigation.ts';
import type { Reasoning } from '../platform/reasoning.ts';
import { confirmation } from './conclusion.ts';
import { type Playbook, planActions, selectPlaybook } from './playbooks.ts';

/** A plan, and what the record and the decision about it need. */
export interface PlanDraft {
  readonly plan: ResponsePlan;
  readonly playbook: Playbook;
  /** Playbooks that were not chosen. */
  readonly considered: readonly string[];
  /** What the playbook does, without the confirmation by a human. */
  readonly actions: readonly PlannedAction[];
}

/** Plans the response to an alert. What a human must confirm comes first, so that nothing is done before. */
export function draftPlan(
  alert: Alert,
  { investigation_id, techniques }: Investigation,
  { verdict, recommendedActions }: Reasoning,
  doubts: readonly string[],
  shadow: boolean,
  ids: Ids,
): PlanDraft {
  const isAttack = verdict === 'true_positive';
  const { playbook, considered } = selectPlaybook(isAttack ? techniques : []);
  const actions = isAttack
    ? planActions(playbook, recommendedActions, alert.entities, investigation_id, ids)
    : [];
  const plan: ResponsePlan = {
    plan_id: ids.next('plan'),
    investigation_id,
    tenant_id: alert.tenant_id,
    alert_id: alert.alert_id,
    severity: alert.severity,
    playbook_id: playbook.playbook_id,
    actions: [...(doubts.length > 0 ? [confirmation(investigation_id, doubts, ids)] : []), ...actions],
    shadow,
  };
  return { plan, playbook, considered, actions };
}
