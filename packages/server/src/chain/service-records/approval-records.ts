import { createHash } from 'node:crypto';
import { type AuditEvent, canonicalize, uuidv7 } from '@tallystick/event';
import type { Approval, ApprovalRefusalCode, ApprovalTransition } from '@tallystick/protocol';
import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** Who caused a change of an approval, and when the desk made it. */
export interface ApprovalCause {
  /** Milliseconds since the epoch, by the clock of the store. */
  readonly now: number;
  /** Principal of the request, such as `key:…`. Absent: the desk itself, because a time has passed. */
  readonly principal?: string | undefined;
}

/** What the intent of an approval belongs to. The records of the approval have the same, so that a filter for it finds them. */
export type IntentIds = Pick<AuditEvent, (typeof intentIdNames)[number]>;
const intentIdNames = ['investigation_id', 'alert_id', 'correlation_id', 'trace_id'] as const;

/** The ids in an intent, or in a record of its approval. Those of a sensitive intent stay in it. */
export function intentIds(event: { readonly [member: string]: unknown }): IntentIds {
  if (event.is_sensitive === true) return {};
  return Object.fromEntries(
    intentIdNames.flatMap((name) => (typeof event[name] === 'string' ? [[name, event[name]]] : [])),
  );
}

/** Which change of its approval a record describes. */
export interface ApprovalChange {
  /** Version of the row after the change. The first one is 1. */
  readonly version: number;
  /** Position among the records of this change: an escalation and a time-out can be one change. */
  readonly index: number;
}

/** `sha256:` and the SHA-256 of the approval's canonical JSON (RFC 8785). The record of a change has that of the result. */
export function approvalDigest(approval: Approval): string {
  return `sha256:${createHash('sha256').update(canonicalize(approval)).digest('hex')}`;
}

/**
 * The id of the record of a change, before the service makes it its own. It depends on the number of the change, and a chain has each
 * id once: whatever the row says, an approval has one second change.
 */
export function changeRecordId(approvalId: string, { version, index }: ApprovalChange): string {
  return derivedId('approval-change', approvalId, version, index);
}

/** The record of one change of an approval. The desk writes it in the transaction that makes the change. */
export function transitionRecord(
  approval: Approval,
  { type, subject, comment }: ApprovalTransition,
  change: ApprovalChange,
  ids: IntentIds,
  { now, principal }: ApprovalCause,
): EventItem {
  const { document, document_digest, decisions, rules } = approval;
  const breakGlass = type === 'approval.break_glass';
  const item = serviceEvent({
    ...common(approval, ids, now),
    audit_id: changeRecordId(approval.id, change),
    event_type: type,
    severity: breakGlass ? 'critical' : 'info',
    ...(subject !== undefined && { actor_type: 'user', actor_id: subject }),
    context: {
      action: document.action,
      document_digest,
      ...(type === 'approval.requested' && { document, rules }),
    },
    outcome: {
      outcome_status: outcomes[type],
      state_after: approval.state,
      ...(subject !== undefined && isDecision(type) && { approval_received_from: subject }),
      ...(isDecision(type) && { approval_latency_ms: now - Date.parse(approval.created_at) }),
      ...(comment !== undefined && { approval_comment: comment }),
    },
    metadata: {
      ...(principal !== undefined && { principal }),
      requester: approval.requester,
      ...(isDecision(type) && { decisions: decisions.length, decisions_required: rules.approvals }),
      ...(type === 'approval.claimed' && { attempt: approval.claim!.attempt }),
      version: change.version,
      approval_digest: approvalDigest(approval),
    },
  });
  return { ...item, firstWins: true };
}

/** The record of an attempt that the desk refused. */
export function refusalRecord(
  approval: Approval,
  refusal: {
    readonly code: ApprovalRefusalCode;
    readonly attempted: 'decide' | 'claim' | 'withdraw';
    readonly subject: string;
  },
  ids: IntentIds,
  { now, principal }: ApprovalCause,
): EventItem {
  return serviceEvent({
    ...common(approval, ids, now),
    event_type: 'approval.refused',
    severity: 'warning',
    actor_type: 'user',
    actor_id: refusal.subject,
    context: { action: approval.document.action, document_digest: approval.document_digest },
    outcome: { outcome_status: 'blocked', error_code: refusal.code, state_after: approval.state },
    metadata: { attempted: refusal.attempted, ...(principal !== undefined && { principal }) },
  });
}

/**
 * The record of an attempt that the desk refused because the row is not what the records say. It takes nothing from the row.
 */
export function mismatchRecord(
  approval: { readonly tenantId: string; readonly id: string },
  attempt: { readonly attempted: 'decide' | 'claim' | 'withdraw'; readonly subject: string },
  { now, principal }: ApprovalCause,
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: approval.tenantId,
    timestamp: new Date(now).toISOString(),
    event_category: 'approval',
    event_type: 'approval.refused',
    severity: 'critical',
    actor_type: 'user',
    actor_id: attempt.subject,
    target_type: 'approval',
    target_id: approval.id,
    outcome: { outcome_status: 'blocked', error_code: 'APPROVAL_MISMATCH' },
    metadata: { attempted: attempt.attempted, ...(principal !== undefined && { principal }) },
  });
}

function common(approval: Approval, ids: IntentIds, now: number) {
  return {
    ...ids,
    audit_id: uuidv7(now),
    tenant_id: approval.document.tenant_id,
    timestamp: new Date(now).toISOString(),
    event_category: 'approval',
    target_type: 'approval',
    target_id: approval.id,
    parent_id: approval.intent_id,
  } as const;
}

type TransitionType = ApprovalTransition['type'];

const outcomes: Record<TransitionType, NonNullable<NonNullable<AuditEvent['outcome']>['outcome_status']>> = {
  'approval.requested': 'pending',
  'approval.reminded': 'pending',
  'approval.escalated': 'pending',
  'approval.granted': 'success',
  'approval.denied': 'denied',
  'approval.break_glass': 'success',
  'approval.timed_out': 'timed_out',
  'approval.withdrawn': 'rolled_back',
  'approval.claimed': 'success',
  'approval.expired': 'timed_out',
};

function isDecision(type: TransitionType): boolean {
  return type === 'approval.granted' || type === 'approval.denied' || type === 'approval.break_glass';
}
