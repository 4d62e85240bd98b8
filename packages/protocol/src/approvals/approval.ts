import type { ActorType, Json } from '@tallystick/event';
import type { ApprovalRules } from './rules.ts';

/**
 * States of an approval.
 * - `pending`: waits for decisions.
 * - `granted`: enough subjects granted it. It can be claimed once.
 * - `claimed`: its one execution has begun.
 * - `denied`, `timed_out`, `withdrawn`: final; the action must not run. A time-out is not a denial: nobody decided.
 * - `expired`: granted, but not claimed in time; final.
 */
export const approvalStates = [
  'pending',
  'granted',
  'claimed',
  'denied',
  'timed_out',
  'withdrawn',
  'expired',
] as const;

/** One of {@link approvalStates}. */
export type ApprovalState = (typeof approvalStates)[number];

/** Who acts, or for whom. */
export interface ApprovalPrincipal {
  readonly actor_type: ActorType;
  readonly actor_id: string;
}

/**
 * What an approver is shown, and nothing else. The digest of an approval covers exactly this document, so an approval of one
 * document can't be used for another.
 */
export interface ApprovalDocument {
  readonly tenant_id: string;
  /** Name of the tool or action. */
  readonly action: string;
  readonly actor: ApprovalPrincipal;
  /** The delegation chain, the nearest first. */
  readonly on_behalf_of?: readonly ApprovalPrincipal[];
  readonly target?: { readonly type: string; readonly id: string };
  /** The arguments without the hidden ones. */
  readonly arguments: Json;
  /**
   * Hidden arguments: JSON pointer into the arguments → commitment, 64 hexadecimal digits, as in `sealed` of an event. A claim must
   * open each of them.
   */
  readonly hidden?: { readonly [pointer: string]: string };
  /** Why the agent wants to act, in its own words. Nothing checked it. */
  readonly reason_unverified?: string;
  /** The policy that asked for the approval. */
  readonly policy: { readonly name: string; readonly version: string };
}

/** One decision of one subject. */
export interface ApprovalDecision {
  /** The person or agent who decided, not the key that was used. */
  readonly subject: string;
  readonly verdict: 'grant' | 'deny';
  readonly comment?: string;
  /** Whether it permits the action alone, without the required approvals. */
  readonly break_glass?: true;
  /** RFC 3339, by the desk's clock. */
  readonly decided_at: string;
}

/** An approval, as the desk stores and returns it. All times are RFC 3339, by the desk's clock. */
export interface Approval {
  readonly id: string;
  /** `audit_id` of the event `agent.action.intended` that the request followed. */
  readonly intent_id: string;
  readonly state: ApprovalState;
  readonly document: ApprovalDocument;
  /** `sha256:` and the SHA-256 of the document's canonical JSON (RFC 8785). */
  readonly document_digest: string;
  /** The subject that made the request. Neither it nor the actor may decide. */
  readonly requester: string;
  readonly rules: ApprovalRules;
  readonly decisions: readonly ApprovalDecision[];
  readonly created_at: string;
  /** The request times out at this time, or is escalated. */
  readonly decide_before: string;
  /** Absent once the approvers were reminded. */
  readonly remind_at?: string;
  /** Whether it was passed on to further approvers. */
  readonly escalated?: true;
  /** Set once it is granted: it expires at this time. */
  readonly claim_before?: string;
  /** The execution that claimed it. */
  readonly claim?: { readonly attempt: string; readonly subject: string; readonly claimed_at: string };
}

/** What proves that a hidden argument is the one that was committed to. */
export interface ArgumentOpening {
  /** 32 random bytes, 64 hexadecimal digits. */
  readonly salt: string;
  readonly value: Json;
}
