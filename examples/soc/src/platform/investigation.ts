import { createHash } from 'node:crypto';
import type { AlertSource } from './alert.ts';
import type { Severity } from './settings.ts';

export const investigationStates = [
  'received',
  'parsing',
  'enriching',
  'reasoning',
  'awaiting_human',
  'responding',
  'closed',
  'failed',
] as const;
export type InvestigationState = (typeof investigationStates)[number];

export const verdicts = ['true_positive', 'false_positive', 'benign', 'inconclusive'] as const;
export type Verdict = (typeof verdicts)[number];

/** What the orchestrator published when an investigation changed: the value of `investigations`. */
export interface Investigation {
  readonly investigation_id: string;
  readonly tenant_id: string;
  readonly alert_id: string;
  readonly state: InvestigationState;
  readonly severity: Severity;
  readonly title: string;
  readonly source: AlertSource;
  readonly techniques: readonly string[];
  readonly entity_ids: readonly string[];
  readonly verdict?: Verdict | undefined;
  readonly confidence?: number | undefined;
  readonly summary?: string | undefined;
  readonly opened_at: string;
  readonly closed_at?: string | undefined;
  /** How it was closed. */
  readonly closed_by?: 'pattern' | 'analysis' | 'response' | 'human' | 'timeout' | undefined;
}

/**
 * What the platform can do, and how far it reaches. Tier 0 and 1 can be undone and disturb nobody; tier 2 stops somebody's work; tier 3
 * stops production, and two people must approve it.
 */
export const actionTiers = {
  notify_analyst: 0,
  tag_host: 0,
  block_ip: 1,
  block_domain: 1,
  quarantine_file: 1,
  revoke_sessions: 2,
  isolate_host: 2,
  disable_account: 2,
  /** A human confirms what the platform concluded, because it is not sure enough or could not ask a model. */
  confirm_verdict: 2,
  stop_production_line: 3,
} as const;
export type ActionKind = keyof typeof actionTiers;
export type ActionTier = (typeof actionTiers)[ActionKind];
export const actionKinds = Object.keys(actionTiers) as readonly ActionKind[];

/** Something that the platform wants to do. */
export interface PlannedAction {
  readonly action_id: string;
  readonly kind: ActionKind;
  readonly target: { readonly type: string; readonly id: string };
  readonly tier: ActionTier;
  readonly reason: string;
}

/** The value of `actions.pending`: what the response agent is asked to do for one investigation. */
export interface ResponsePlan {
  readonly plan_id: string;
  readonly investigation_id: string;
  readonly tenant_id: string;
  readonly alert_id: string;
  readonly severity: Severity;
  readonly playbook_id: string;
  readonly actions: readonly PlannedAction[];
  /** In shadow mode actions are logged and not executed. */
  readonly shadow: boolean;
}

export type ActionResult =
  | 'executed'
  | 'denied'
  | 'timed_out'
  | 'failed'
  | 'rolled_back'
  | 'shadowed'
  | 'unknown';

/** The value of `actions.settled`: how the actions of a plan ended. */
export interface ResponseReport {
  readonly plan_id: string;
  readonly investigation_id: string;
  readonly tenant_id: string;
  readonly results: readonly {
    readonly action_id: string;
    readonly result: ActionResult;
    readonly detail?: string | undefined;
  }[];
}

/** The same investigation for the same alert, so that an alert that is delivered twice is investigated once, and
 * so that records of the alert before its investigation can name it. */
export function investigationIdOf(alertId: string): string {
  return `inv-${createHash('sha256').update(alertId).digest('hex').slice(0, 32)}`;
}
