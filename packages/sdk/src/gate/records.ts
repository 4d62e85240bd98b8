/** The events of a gate: intent, decision, and how it ended. */
import type { AuditEventInput, AuditOutcomeDetails } from '../event/input.ts';
import { digestOf } from './document.ts';
import type { GateErrorCode } from './errors.ts';
import type { Intent } from './intent.ts';
import type { Acknowledgement } from './options.ts';
import type { Policy, PolicyDecision } from './policy.ts';

/** `agent.action.intended`. */
export function intentEvent(intent: Intent): AuditEventInput {
  const { action, hidden, documentDigest, deadline } = intent;
  return {
    ...common(intent),
    auditId: intent.intentId,
    eventType: 'agent.action.intended',
    parentEventId: action.parentEventId,
    context: {
      ...action.context,
      action: action.action,
      arguments: hidden.shown,
      ...(Object.keys(hidden.hidden).length > 0 && { arguments_hidden: hidden.hidden }),
      document_digest: documentDigest,
      deadline: new Date(deadline).toISOString(),
      ...(action.failOpen === true && { fail_open: true }),
      ...(action.reason !== undefined && { reason_unverified: action.reason }),
    },
    outcome: 'pending',
  };
}

/** `agent.action.decided`. */
export function decisionEvent(intent: Intent, policy: Policy, decision: PolicyDecision): AuditEventInput {
  const { effect, rule, reason } = decision;
  return {
    ...common(intent),
    eventType: 'agent.action.decided',
    parentEventId: intent.intentId,
    context: { action: intent.action.action, document_digest: intent.documentDigest },
    decision: {
      effect,
      policy: { name: policy.name, version: policy.version, digest: policy.digest },
      ...(rule !== undefined && { rule }),
      ...(reason !== undefined && { reason }),
    },
    outcome: effect === 'allow' ? 'success' : effect === 'deny' ? 'denied' : 'pending',
  };
}

/** `agent.action.abandoned`: the effect did not run. */
export function abandonedEvent(
  intent: Intent,
  code: GateErrorCode,
  approvalId: string | undefined,
): AuditEventInput {
  return {
    ...common(intent),
    eventType: 'agent.action.abandoned',
    parentEventId: intent.intentId,
    context: {
      action: intent.action.action,
      ...(approvalId !== undefined && { approval_id: approvalId }),
    },
    outcome: { outcomeStatus: abandonedOutcomes[code] ?? 'failure', errorCode: code },
  };
}

const abandonedOutcomes: Partial<Record<GateErrorCode, 'denied' | 'timed_out' | 'blocked'>> = {
  APPROVAL_DENIED: 'denied',
  APPROVAL_TIMED_OUT: 'timed_out',
  APPROVAL_EXPIRED: 'timed_out',
  ALREADY_RUN: 'blocked',
  KEY_REUSED: 'blocked',
  DESK_REFUSED: 'blocked',
};

/** How an effect ended. */
export interface EffectEnd {
  readonly outcome: AuditOutcomeDetails & { readonly outcomeStatus: 'success' | 'failure' | 'timed_out' };
  /** Absent where the process that reports the end did not measure it. */
  readonly durationMs: number | undefined;
  /** Absent where the process that reports the end does not know it. */
  readonly acknowledged: Acknowledgement | undefined;
  readonly approvalId: string | undefined;
  readonly costUsd: number | undefined;
  /** Whether it ended after it had counted as timed out. */
  readonly late: boolean;
}

/** `agent.action.completed`. */
export function completedEvent(intent: Intent, end: EffectEnd): AuditEventInput {
  return {
    ...common(intent),
    eventType: 'agent.action.completed',
    parentEventId: intent.intentId,
    context: {
      action: intent.action.action,
      document_digest: intent.documentDigest,
      ...(end.acknowledged !== undefined &&
        end.acknowledged !== 'chained' && { acknowledged: end.acknowledged }),
      ...(end.approvalId !== undefined && { approval_id: end.approvalId }),
      ...(end.late && { late: true }),
    },
    outcome: {
      ...end.outcome,
      ...(end.durationMs !== undefined && { duration_ms: Math.round(end.durationMs * 1_000) / 1_000 }),
      ...(end.costUsd !== undefined && { cost_usd: end.costUsd }),
    },
  };
}

/** The members that all records of one run have in common, so that each can be found by them. */
function common({ action, request }: Intent) {
  return {
    tenantId: request.tenantId,
    actorType: request.actorType,
    actorId: request.actorId,
    onBehalfOf: request.onBehalfOf.length === 0 ? undefined : request.onBehalfOf,
    targetType: request.target?.type,
    targetId: request.target?.id,
    eventCategory: 'agent',
    idempotencyKey: action.idempotencyKey,
    correlationId: action.correlationId,
    investigationId: action.investigationId,
    alertId: action.alertId,
    traceId: action.traceId,
    spanId: action.spanId,
  } as const;
}

const maxDigestedCharacters = 1024 * 1024;

/** Digest of an effect's result; `undefined` for a result that is not JSON, or a long one. */
export function resultDigest(result: unknown): string | undefined {
  try {
    const text = JSON.stringify(result);
    return text === undefined || text.length > maxDigestedCharacters ? undefined : digestOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
