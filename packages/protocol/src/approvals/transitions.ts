/**
 * The state machine of an approval. Pure: the desk passes the time, stores the result, and records each transition in the
 * tenant's chain. No function here trusts the caller's clock or the requester's word.
 */
import type { Approval, ApprovalDecision, ApprovalDocument } from './approval.ts';
import type { ApprovalRules } from './rules.ts';
import { mayBeOnePerson } from './subjects.ts';

/** Why the desk refused an attempt. The attempt is recorded as `approval.refused` with this code. */
export const approvalRefusalCodes = [
  'DIGEST_MISMATCH',
  'NOT_PENDING',
  'DECISION_TOO_LATE',
  'NOT_AN_APPROVER',
  'APPROVER_IS_REQUESTER',
  'APPROVER_IS_ACTOR',
  'ALREADY_DECIDED',
  'REASON_REQUIRED',
  'BREAK_GLASS_REFUSED',
  'HIDDEN_ARGUMENTS_REFUSED',
  'NOT_GRANTED',
  'ALREADY_CLAIMED',
  'CLAIM_TOO_LATE',
  'OPENING_INVALID',
  'NOT_THE_REQUESTER',
  /** The stored approval is not the one that the service's records describe: somebody has edited the database. */
  'APPROVAL_MISMATCH',
] as const;

/** One of {@link approvalRefusalCodes}. */
export type ApprovalRefusalCode = (typeof approvalRefusalCodes)[number];

/** A change of an approval, named by the event type that records it. */
export interface ApprovalTransition {
  readonly type:
    | 'approval.requested'
    | 'approval.reminded'
    | 'approval.escalated'
    | 'approval.granted'
    | 'approval.denied'
    | 'approval.break_glass'
    | 'approval.timed_out'
    | 'approval.withdrawn'
    | 'approval.claimed'
    | 'approval.expired';
  /** Who caused it. Absent: the desk, because a time has passed. */
  readonly subject?: string;
  readonly comment?: string;
}

/** The approval after a step, with the changes in their order; or why the step was refused. */
export type ApprovalStep =
  | { readonly approval: Approval; readonly transitions: readonly ApprovalTransition[] }
  | { readonly refused: ApprovalRefusalCode; readonly message: string };

/** A new request. */
export interface OpenedApproval {
  readonly id: string;
  readonly intent_id: string;
  readonly document: ApprovalDocument;
  readonly document_digest: string;
  readonly requester: string;
  readonly rules: ApprovalRules;
}

const time = (ms: number) => new Date(ms).toISOString();
const refuse = (refused: ApprovalRefusalCode, message: string): ApprovalStep => ({ refused, message });

/** Opens an approval. */
export function openApproval(opened: OpenedApproval, now: number): ApprovalStep {
  const { rules, document } = opened;
  if (rules.hidden_arguments === 'refused' && Object.keys(document.hidden ?? {}).length > 0) {
    return refuse('HIDDEN_ARGUMENTS_REFUSED', 'the rules of this action refuse hidden arguments');
  }
  const approval: Approval = {
    ...opened,
    state: 'pending',
    decisions: [],
    created_at: time(now),
    decide_before: time(now + rules.timeout_ms),
    ...(rules.remind_after_ms !== undefined && { remind_at: time(now + rules.remind_after_ms) }),
  };
  return { approval, transitions: [{ type: 'approval.requested', subject: opened.requester }] };
}

/** A decision as an approver submits it. */
export interface SubmittedDecision {
  readonly subject: string;
  /** Groups of the subject, by its login. */
  readonly groups?: readonly string[];
  readonly verdict: 'grant' | 'deny';
  /** Digest of the document that the approver was shown. */
  readonly document_digest: string;
  readonly comment?: string;
  readonly break_glass?: boolean;
}

/**
 * Applies a decision. Call {@link advanceApproval} first, so that passed deadlines have taken effect.
 *
 * @throws {TypeError} if the verdict is neither `grant` nor `deny`, as in JavaScript that misspells it. It must not count as a grant
 */
export function decideApproval(approval: Approval, decision: SubmittedDecision, now: number): ApprovalStep {
  const { subject, verdict, comment } = decision;
  const breakGlass = decision.break_glass === true;
  if (verdict !== 'grant' && verdict !== 'deny') throw new TypeError("the verdict must be 'grant' or 'deny'");
  if (decision.document_digest !== approval.document_digest)
    return refuse('DIGEST_MISMATCH', 'the decision is about another document');
  if (approval.state !== 'pending') return refuse('NOT_PENDING', `the approval is ${approval.state}`);
  if (now >= Date.parse(approval.decide_before))
    return refuse('DECISION_TOO_LATE', 'the time to decide has passed');
  if (mayBeOnePerson(subject, approval.requester))
    return refuse('APPROVER_IS_REQUESTER', 'the subject that made a request must not decide it');
  if (actorsOf(approval.document).some((actor) => mayBeOnePerson(actor, subject)))
    return refuse('APPROVER_IS_ACTOR', 'the actor, and the subjects for whom it acts, must not decide');
  if (!mayDecide(approval, decision)) return refuse('NOT_AN_APPROVER', 'the subject is not an approver');
  if (approval.decisions.some((made) => mayBeOnePerson(made.subject, subject)))
    return refuse('ALREADY_DECIDED', 'the subject has already decided');
  if (breakGlass && approval.rules.break_glass === 'refused')
    return refuse('BREAK_GLASS_REFUSED', 'the rules of this action refuse break-glass');
  if (breakGlass && (comment ?? '').trim() === '')
    return refuse('REASON_REQUIRED', 'break-glass needs a reason');

  const made: ApprovalDecision = {
    subject,
    verdict,
    ...(comment !== undefined && { comment }),
    ...(breakGlass && { break_glass: true }),
    decided_at: time(now),
  };
  const decisions = [...approval.decisions, made];
  const type =
    verdict === 'deny' ? 'approval.denied' : breakGlass ? 'approval.break_glass' : 'approval.granted';
  const transitions = [{ type, subject, ...(comment !== undefined && { comment }) } as const];
  if (verdict === 'deny') return { approval: { ...approval, state: 'denied', decisions }, transitions };
  const granted = breakGlass || decisions.length >= approval.rules.approvals;
  if (!granted) return { approval: { ...approval, decisions }, transitions };
  const claimBefore = time(now + approval.rules.claim_within_ms);
  return { approval: { ...approval, state: 'granted', decisions, claim_before: claimBefore }, transitions };
}

/** The subjects that act. Subjects are compared with actor ids, and with `type:id`. */
function actorsOf({ actor, on_behalf_of = [] }: ApprovalDocument): readonly string[] {
  return [actor, ...on_behalf_of].flatMap(({ actor_type, actor_id }) => [
    actor_id,
    `${actor_type}:${actor_id}`,
  ]);
}

function mayDecide({ rules, escalated }: Approval, { subject, groups = [] }: SubmittedDecision): boolean {
  if (rules.approvers === undefined) return true;
  const allowed = escalated === true ? [...rules.approvers, ...(rules.escalate_to ?? [])] : rules.approvers;
  return allowed.includes(subject) || groups.some((group) => allowed.includes(group));
}

/** A claim: the executor is about to run the action. */
export interface SubmittedClaim {
  readonly subject: string;
  /** Id of this execution. */
  readonly attempt: string;
  /** Digest of the document that the executor is about to run. */
  readonly document_digest: string;
  /** Whether every hidden argument was opened, and each commitment fits. The desk checks this before the call. */
  readonly openings_valid: boolean;
}

/** Uses a granted approval for its one execution. */
export function claimApproval(approval: Approval, claim: SubmittedClaim, now: number): ApprovalStep {
  if (claim.subject !== approval.requester)
    return refuse('NOT_THE_REQUESTER', 'only the subject that made the request can claim it');
  if (claim.document_digest !== approval.document_digest)
    return refuse('DIGEST_MISMATCH', 'the claim is about another document');
  if (approval.state === 'claimed') return refuse('ALREADY_CLAIMED', 'the approval was used before');
  if (approval.state !== 'granted') return refuse('NOT_GRANTED', `the approval is ${approval.state}`);
  if (approval.claim_before === undefined || now >= Date.parse(approval.claim_before))
    return refuse('CLAIM_TOO_LATE', 'the time to use the approval has passed');
  if (!claim.openings_valid)
    return refuse('OPENING_INVALID', 'a hidden argument is not the one that was committed to');
  const { attempt, subject } = claim;
  return {
    approval: { ...approval, state: 'claimed', claim: { attempt, subject, claimed_at: time(now) } },
    transitions: [{ type: 'approval.claimed', subject }],
  };
}

/** Withdraws a request that has not been used. */
export function withdrawApproval(
  approval: Approval,
  { subject, comment }: { readonly subject: string; readonly comment?: string },
): ApprovalStep {
  if (subject !== approval.requester)
    return refuse('NOT_THE_REQUESTER', 'only the subject that made the request can withdraw it');
  if (approval.state === 'claimed') return refuse('ALREADY_CLAIMED', 'the approval was used before');
  if (approval.state !== 'pending' && approval.state !== 'granted')
    return refuse('NOT_PENDING', `the approval is ${approval.state}`);
  return {
    approval: { ...approval, state: 'withdrawn' },
    transitions: [{ type: 'approval.withdrawn', subject, ...(comment !== undefined && { comment }) }],
  };
}

/**
 * Lets the time that has passed take effect: reminder, escalation, time-out, expiry. The desk calls it before each other step and
 * on a schedule, with its own clock.
 */
export function advanceApproval(
  approval: Approval,
  now: number,
): Extract<ApprovalStep, { approval: Approval }> {
  let current = approval;
  const transitions: ApprovalTransition[] = [];
  if (current.state === 'pending' && now >= Date.parse(current.decide_before)) {
    const { remind_at: _reminded, ...rest } = current;
    if (current.rules.escalate_to !== undefined && current.escalated !== true) {
      const decideBefore = time(Date.parse(current.decide_before) + current.rules.timeout_ms);
      current = { ...rest, escalated: true, decide_before: decideBefore };
      transitions.push({ type: 'approval.escalated' });
    }
    if (now >= Date.parse(current.decide_before)) {
      current = { ...current, state: 'timed_out' };
      transitions.push({ type: 'approval.timed_out' });
    }
  } else if (
    current.state === 'pending' &&
    current.remind_at !== undefined &&
    now >= Date.parse(current.remind_at)
  ) {
    const { remind_at: _reminded, ...rest } = current;
    current = rest;
    transitions.push({ type: 'approval.reminded' });
  } else if (
    current.state === 'granted' &&
    current.claim_before !== undefined &&
    now >= Date.parse(current.claim_before)
  ) {
    current = { ...current, state: 'expired' };
    transitions.push({ type: 'approval.expired' });
  }
  return { approval: current, transitions };
}

/** When {@link advanceApproval} has something to do next, in milliseconds since the epoch; `undefined` in a final state. */
export function nextDeadlineOf(approval: Approval): number | undefined {
  if (approval.state === 'granted' && approval.claim_before !== undefined)
    return Date.parse(approval.claim_before);
  if (approval.state !== 'pending') return undefined;
  return Date.parse(approval.remind_at ?? approval.decide_before);
}
