/** How an approval is decided. */
export interface ApprovalRules {
  /** How many different subjects must grant it. */
  readonly approvals: number;
  /** Subjects and groups that may decide. Absent: every subject that may decide approvals of the tenant. */
  readonly approvers?: readonly string[];
  /** Time to decide, in milliseconds. */
  readonly timeout_ms: number;
  /** The approvers are reminded after this time, in milliseconds. Absent: they are not reminded. */
  readonly remind_after_ms?: number;
  /** Subjects and groups that may decide after a time-out, in `timeout_ms` more. Absent: a time-out is final. */
  readonly escalate_to?: readonly string[];
  /** A granted approval expires after this time, in milliseconds. */
  readonly claim_within_ms: number;
  /** Whether the document may hide arguments from the approver. */
  readonly hidden_arguments: 'allowed' | 'refused';
  /** Whether one subject may permit the action alone, with a reason that is always listed. */
  readonly break_glass: 'allowed' | 'refused';
}

/** The rules that hold where neither the requester nor the service's minimum says anything else. */
export const defaultApprovalRules: ApprovalRules = Object.freeze({
  approvals: 1,
  timeout_ms: 3_600_000,
  remind_after_ms: 1_800_000,
  claim_within_ms: 900_000,
  hidden_arguments: 'allowed',
  break_glass: 'refused',
});

/**
 * The rules of a request: the minimum of the service, tightened by what the requester asks for. A requester can never loosen a
 * rule.
 *
 * @returns `undefined` if no subject could satisfy both
 */
export function tightenRules(
  minimum: ApprovalRules,
  requested: Partial<ApprovalRules>,
): ApprovalRules | undefined {
  const approvers = intersect(minimum.approvers, requested.approvers);
  // Without an escalation of its own, the minimum names in its approvers everyone who may ever decide.
  const escalateTo =
    minimum.escalate_to === undefined && requested.escalate_to === undefined
      ? undefined
      : intersect(minimum.escalate_to ?? minimum.approvers, requested.escalate_to);
  if (approvers?.length === 0) return undefined;
  const timeoutMs = Math.min(longestTime(minimum, escalateTo), requested.timeout_ms ?? minimum.timeout_ms);
  const remindAfterMs = requested.remind_after_ms ?? minimum.remind_after_ms;
  return {
    approvals: Math.max(minimum.approvals, requested.approvals ?? 1),
    ...(approvers !== undefined && { approvers }),
    timeout_ms: timeoutMs,
    ...(remindAfterMs !== undefined && remindAfterMs < timeoutMs && { remind_after_ms: remindAfterMs }),
    ...(escalateTo !== undefined && escalateTo.length > 0 && { escalate_to: escalateTo }),
    claim_within_ms: Math.min(minimum.claim_within_ms, requested.claim_within_ms ?? minimum.claim_within_ms),
    hidden_arguments:
      minimum.hidden_arguments === 'refused' || requested.hidden_arguments === 'refused'
        ? 'refused'
        : 'allowed',
    break_glass:
      minimum.break_glass === 'refused' || requested.break_glass === 'refused' ? 'refused' : 'allowed',
  };
}

/** An escalation gives the same time once more. If only the request has one, both times together are at most that of the minimum. */
function longestTime(minimum: ApprovalRules, escalateTo: readonly string[] | undefined): number {
  const isAdded = minimum.escalate_to === undefined && escalateTo !== undefined && escalateTo.length > 0;
  return isAdded ? Math.max(1, Math.floor(minimum.timeout_ms / 2)) : minimum.timeout_ms;
}

/** The members of both lists. An absent list stands for all. */
function intersect(
  minimum: readonly string[] | undefined,
  requested: readonly string[] | undefined,
): readonly string[] | undefined {
  if (minimum === undefined || requested === undefined) return minimum ?? requested;
  return minimum.filter((member) => requested.includes(member));
}
