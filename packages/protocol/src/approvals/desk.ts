/** What a gate needs of the service: approvals, and one execution per idempotency key. */
import type { Json } from '@tallystick/event';
import type { Approval, ApprovalDocument, ArgumentOpening } from './approval.ts';
import type { ApprovalRules } from './rules.ts';

/** A request for an approval. */
export interface ApprovalRequest {
  /** Id of the approval, a UUID. A repeated request with the same id and document returns the first approval. */
  readonly id: string;
  /** `audit_id` of the event `agent.action.intended`. It MUST be in the chain before the request is made. */
  readonly intent_id: string;
  readonly document: ApprovalDocument;
  /** What the requester asks for. The service's minimum can only be tightened. */
  readonly rules?: Partial<ApprovalRules>;
}

/** A claim of a granted approval. */
export interface ApprovalClaim {
  readonly tenant_id: string;
  readonly approval_id: string;
  /** Id of this execution, a UUID. A repeated claim with the same attempt is refused: the first one may have run. */
  readonly attempt: string;
  readonly document_digest: string;
  /** An opening for each hidden argument, by its JSON pointer. */
  readonly openings?: { readonly [pointer: string]: ArgumentOpening };
}

/**
 * The approval desk.
 *
 * Every method rejects if the desk can't be reached or refuses. A refusal is an error with `code`, one of `approvalRefusalCodes`
 * or a problem code of the service.
 */
export interface ApprovalDesk {
  /** MUST be durable, and recorded in the tenant's chain, before it resolves. */
  request(request: ApprovalRequest): Promise<Approval>;
  /** Resolves once the approval is not pending any more. MUST go on after an interrupted connection. */
  decided(tenantId: string, approvalId: string, signal: AbortSignal): Promise<Approval>;
  /** MUST resolve for at most one claim of an approval, whatever crashes and however many processes call it. */
  claim(claim: ApprovalClaim): Promise<Approval>;
  withdraw(tenantId: string, approvalId: string, comment?: string): Promise<Approval>;
}

/** How an operation ended. */
export interface OperationOutcome {
  readonly status: 'success' | 'failure';
  readonly error_code?: string;
  /** SHA-256 of the result's canonical JSON, with `sha256:`. */
  readonly result_digest?: string;
  /** The result itself, if the caller wants retries to get it. At most 64 KiB of JSON. */
  readonly result?: Json;
  /** RFC 3339. */
  readonly completed_at: string;
}

/** An attempt to run an operation that has an idempotency key. */
export interface OperationAttempt {
  readonly tenant_id: string;
  readonly idempotency_key: string;
  /** Digest of the document that would run. The same key with another document is refused. */
  readonly document_digest: string;
  readonly intent_id: string;
}

/**
 * - `begun`: this attempt may run; no other will.
 * - `known`: another attempt has begun before. `outcome` is absent while it runs, and if its process has died.
 */
export type OperationState =
  | { readonly status: 'begun' }
  | { readonly status: 'known'; readonly intent_id: string; readonly outcome?: OperationOutcome };

/** Remembers which operations have begun, so that each runs at most once. */
export interface OperationLedger {
  /**
   * MUST be durable before it resolves, and MUST answer `begun` to at most one attempt per tenant and key.
   *
   * Rejects with code `IDEMPOTENCY_KEY_REUSED` if the key belongs to another document.
   */
  begin(attempt: OperationAttempt): Promise<OperationState>;
  finish(attempt: OperationAttempt, outcome: OperationOutcome): Promise<void>;
}
