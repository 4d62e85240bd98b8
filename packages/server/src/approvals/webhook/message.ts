import type { Approval, ApprovalTransition } from '@tallystick/protocol';

/**
 * The body of a message about one change of an approval. It names the approval, and contains no arguments, hidden or not, and no
 * text of the agent: a receiver that needs them asks the desk with a key of its own.
 *
 * @param recordId `audit_id` of the record of the change
 */
export function webhookBody(
  approval: Approval,
  { type, subject }: ApprovalTransition,
  { recordId, now }: { readonly recordId: string; readonly now: number },
): string {
  const { id, intent_id, state, document, document_digest, requester, decisions, rules } = approval;
  return JSON.stringify({
    type,
    timestamp: new Date(now).toISOString(),
    data: {
      approval_id: id,
      tenant_id: document.tenant_id,
      state,
      action: document.action,
      actor: document.actor,
      requester,
      ...(subject !== undefined && { subject }),
      decisions: decisions.length,
      decisions_required: rules.approvals,
      decide_before: approval.decide_before,
      ...(approval.claim_before !== undefined && { claim_before: approval.claim_before }),
      document_digest,
      intent_id,
      record_id: recordId,
    },
  });
}
