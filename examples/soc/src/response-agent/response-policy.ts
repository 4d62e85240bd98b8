import { type MemoryDeskOptions, type RulePolicy, rulePolicy } from '@tallystick/sdk/gate';
import { type Settings, severities } from '../platform/settings.ts';

type ApprovalRules = ReturnType<NonNullable<MemoryDeskOptions['minimumRules']>>;

/** Tiers that need an approval. */
const gatedTiers = [0, 1, 2, 3] as const;

/**
 * Who approves what, and within which time, as rules of a gate: one for each severity and tier. Automatic actions are gated, too, when a
 * kill switch or the accumulation guard takes their permission away.
 */
export function responsePolicy({ response }: Pick<Settings, 'response'>): RulePolicy {
  return rulePolicy({
    name: 'soc-response',
    version: '1',
    rules: severities.flatMap((severity) =>
      gatedTiers.map((tier) => {
        const timeout_ms = response.approvalWindowMs[severity];
        return {
          name: `${severity}-tier-${tier}`,
          when: { arguments: { '/severity': { equals: severity }, '/tier': { equals: tier } } },
          effect: 'ask' as const,
          approval: {
            approvals: response.approvalsOfTier[tier],
            timeout_ms,
            remind_after_ms: Math.round(timeout_ms * response.remindAtShare),
            claim_within_ms: response.claimWithinMs,
            ...(response.escalateOnTimeout.includes(severity) && { escalate_to: response.escalateTo }),
          },
        };
      }),
    ),
  });
}

/**
 * The minimum rules that the desk must have for the tenants of the platform: the longest window, with its escalation. The policy's rules
 * can only tighten them. Hidden arguments and break-glass are refused: an approver sees everything, and nobody acts alone.
 */
export function minimumApprovalRules({ response }: Pick<Settings, 'response'>): ApprovalRules {
  return {
    approvals: 1,
    timeout_ms: 2 * Math.max(...Object.values(response.approvalWindowMs)),
    claim_within_ms: response.claimWithinMs,
    hidden_arguments: 'refused',
    break_glass: 'refused',
  };
}
