/** The approval of an action: it is requested at the desk, awaited, and claimed for one execution. */
import { createHash } from 'node:crypto';
import { uuidv7, uuidv8FromDigest } from '@tallystick/event';
import type { Approval } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import { abortable, resultWithin } from '../time-limit.ts';
import { abandon } from './abandon.ts';
import type { Intent } from './intent.ts';
import type { PolicyDecision } from './policy.ts';
import { refusalOr } from './refusal.ts';
import type { GateSettings } from './settings.ts';

const approvalErrors = {
  pending: 'DESK_UNAVAILABLE',
  denied: 'APPROVAL_DENIED',
  timed_out: 'APPROVAL_TIMED_OUT',
  withdrawn: 'APPROVAL_WITHDRAWN',
  expired: 'APPROVAL_EXPIRED',
} as const;

type DeskSettings = Pick<GateSettings, 'audit' | 'desk' | 'clock' | 'deskTimeoutMs'>;

/**
 * Requests an approval and waits for the decision. A crash here leaves a request that is decided, or times out, without an effect.
 *
 * @returns the granted approval, or one that another attempt has claimed
 * @throws {GateError} how the approval ended, `DESK_UNAVAILABLE`, `DESK_REFUSED`, `ABORTED`
 */
export async function awaitApproval(
  intent: Intent,
  decision: Extract<PolicyDecision, { effect: 'ask' }>,
  { audit, desk, clock, deskTimeoutMs }: DeskSettings,
): Promise<Approval> {
  const { action } = intent;
  if (desk === undefined) {
    const message = 'the policy asks for an approval, but the gate has no desk';
    return abandon(audit, intent, 'DESK_UNAVAILABLE', message);
  }
  let approval: Approval;
  try {
    const requested = desk.request({
      id: approvalIdOf(intent, clock),
      intent_id: intent.intentId,
      document: intent.document,
      ...(decision.approval !== undefined && { rules: decision.approval }),
    });
    approval = await resultWithin(clock, requested, deskTimeoutMs);
  } catch (cause) {
    const code = refusalOr(cause, 'DESK_UNAVAILABLE');
    return abandon(audit, intent, code, 'the approval desk did not take the request', { cause });
  }
  const approvalId = approval.id;
  const signal = action.signal ?? new AbortController().signal;
  try {
    if (approval.state === 'pending') {
      action.onPending?.(approval);
      approval = await abortable(desk.decided(intent.request.tenantId, approvalId, signal), signal);
    }
  } catch (cause) {
    if (signal.aborted) {
      // The caller has given up. If the withdrawal fails too, the request times out or its grant expires.
      const withdraw = async () =>
        desk.withdraw(intent.request.tenantId, approvalId, 'the caller has given up');
      withdraw().catch(() => undefined);
      return abandon(audit, intent, 'ABORTED', 'the caller gave up the action', { cause, approvalId });
    }
    const code = refusalOr(cause, 'DESK_UNAVAILABLE');
    return abandon(audit, intent, code, 'the approval desk did not answer', { cause, approvalId });
  }
  if (approval.document_digest !== intent.documentDigest) {
    // What was shown and decided is not what would run.
    const message = 'the approval is about another document';
    return abandon(audit, intent, 'DESK_REFUSED', message, { approvalId });
  }
  if (approval.state === 'granted' || approval.state === 'claimed') return approval;
  const message = `the approval of ${action.action} is ${approval.state}`;
  return abandon(audit, intent, approvalErrors[approval.state], message, { approvalId });
}

/**
 * Claims a granted approval for this execution. From here on the effect may have run: a crash leaves the outcome unknown.
 *
 * @throws {GateError} `DESK_UNAVAILABLE`, `DESK_REFUSED`
 */
export async function claimApproval(
  intent: Intent,
  approvalId: string,
  { audit, desk, clock, deskTimeoutMs }: DeskSettings,
): Promise<void> {
  const { intentId, request, documentDigest, hidden } = intent;
  try {
    const claimed = desk!.claim({
      tenant_id: request.tenantId,
      approval_id: approvalId,
      attempt: intentId,
      document_digest: documentDigest,
      ...(Object.keys(hidden.openings).length > 0 && { openings: hidden.openings }),
    });
    const { id, state, document_digest } = await resultWithin(clock, claimed, deskTimeoutMs);
    // Something between the gate and the desk may answer too, such as a proxy. Its answer permits nothing.
    if (id !== approvalId || state !== 'claimed' || document_digest !== documentDigest)
      throw new TypeError('the answer is not the claimed approval');
  } catch (cause) {
    const code = refusalOr(cause, 'DESK_UNAVAILABLE');
    abandon(audit, intent, code, 'the approval could not be claimed', { cause, approvalId });
  }
}

/** A retry with the same idempotency key meets the first request. */
function approvalIdOf({ action, request }: Intent, clock: Clock): string {
  const { idempotencyKey } = action;
  if (idempotencyKey === undefined) return uuidv7(clock.now());
  const name = JSON.stringify(['tallystick/approval', request.tenantId, request.action, idempotencyKey]);
  return uuidv8FromDigest(createHash('sha256').update(name).digest());
}
