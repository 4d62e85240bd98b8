import type { Approval, ArgumentOpening } from '../approvals/approval.ts';
import type { OperationAttempt, OperationOutcome } from '../approvals/desk.ts';
import type { ApprovalRules } from '../approvals/rules.ts';

/** One page of approvals, newest first. */
export interface ApprovalPage {
  readonly approvals: readonly Approval[];
  /** Absent on the last page. */
  readonly next_cursor?: string | undefined;
}

/** A decision about an approval. */
export interface ApprovalVerdict {
  readonly tenant_id?: string | undefined;
  readonly verdict: 'grant' | 'deny';
  /** Digest of the document that the approver has read. */
  readonly document_digest: string;
  readonly comment?: string | undefined;
  /** Permits the action alone, where the rules allow that. It needs a comment. */
  readonly break_glass?: boolean | undefined;
}

/** A claim of a granted approval; its id is in the path. */
export interface ApprovalClaimBody {
  readonly tenant_id?: string | undefined;
  /** Id of the execution, a UUID. */
  readonly attempt: string;
  readonly document_digest: string;
  readonly openings?: { readonly [pointer: string]: ArgumentOpening } | undefined;
}

/** The requester does not need the approval any more. */
export interface ApprovalWithdrawal {
  readonly tenant_id?: string | undefined;
  readonly comment?: string | undefined;
}

/** Minimum rules for an action. `*` stands for every tenant, or every action. */
export interface ApprovalRulesEntry {
  readonly tenant_id: string;
  readonly action: string;
  readonly rules: ApprovalRules;
}

/** Minimum rules, by tenant and action. */
export interface ApprovalRulesList {
  readonly approval_rules: readonly ApprovalRulesEntry[];
}

/** How an operation ended. */
export interface OperationEnd extends OperationAttempt {
  readonly outcome: OperationOutcome;
}

/** A message about an approval that its endpoint has not accepted. */
export interface WebhookDelivery {
  /** Name of the endpoint in the service's options. */
  readonly endpoint: string;
  /** The message's `webhook-id`: `audit_id` of the record of the change. */
  readonly id: string;
  readonly tenant_id: string;
  readonly event_type: string;
  /** `dead`: the service has given up. */
  readonly state: 'waiting' | 'dead';
  readonly created_at: string;
  readonly attempts: number;
  /** Absent where the message is dead. */
  readonly next_attempt_at?: string | undefined;
  /** When the service gave up. Absent where the message waits. */
  readonly given_up_at?: string | undefined;
  readonly last_error?: string | undefined;
}

/** Messages that are not delivered, the oldest first. */
export interface WebhookDeliveryList {
  readonly deliveries: readonly WebhookDelivery[];
}

/** The message that is to be delivered again. */
export type WebhookRetry = Pick<WebhookDelivery, 'endpoint' | 'id'>;
