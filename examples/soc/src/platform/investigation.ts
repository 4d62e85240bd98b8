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

export const actionKinds = [
  'notify_analyst',
  'tag_host',
  'block_ip',
  'block_domain',
  'quarantine_file',
  'isolate_host',
  'disable_account',
  'revoke_sessions',
  'stop_production_line',
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** Something that the platform wants to do. Tier 0 and 1 run by themselves; from tier 2 a human approves. */
export interface PlannedAction {
  readonly action_id: string;
  readonly kind: ActionKind;
  readonly target: { readonly type: string; readonly id: string };
  readonly tier: 0 | 1 | 2 | 3;
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
