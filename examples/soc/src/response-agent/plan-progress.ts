import type { PlannedAction, ResponsePlan, ResponseReport } from '../platform/investigation.ts';

type Results = ResponseReport['results'];

/**
 * The next action of a plan; `undefined` if nothing more may be done. It depends on the stored results alone, so that after a restart the
 * plan ends where it would have ended.
 */
export function nextAction(plan: ResponsePlan, results: Results): PlannedAction | undefined {
  const isEnded = results.some(({ result }) => result === 'failed' || result === 'rolled_back');
  if (isEnded || unconfirmed(plan, results) !== undefined) return undefined;
  return plan.actions.find(({ action_id }) => !results.some((one) => one.action_id === action_id));
}

/** The results of a whole plan whose verdict no human confirmed: the rest of the plan rests on it, and ends in the same way. */
export function withUnconfirmedRest(plan: ResponsePlan, results: Results): Results {
  const refusal = unconfirmed(plan, results);
  if (refusal === undefined) return results;
  const rest = plan.actions.filter(({ action_id }) => !results.some((one) => one.action_id === action_id));
  const detail = 'the verdict was not confirmed';
  return [...results, ...rest.map(({ action_id }) => ({ action_id, result: refusal.result, detail }))];
}

function unconfirmed({ actions }: ResponsePlan, results: Results): Results[number] | undefined {
  const confirmations = new Set(
    actions.filter(({ kind }) => kind === 'confirm_verdict').map(({ action_id }) => action_id),
  );
  return results.find(
    ({ action_id, result }) => confirmations.has(action_id) && result !== 'executed' && result !== 'shadowed',
  );
}
