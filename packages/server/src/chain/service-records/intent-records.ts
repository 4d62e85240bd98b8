import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** What the service found about an action of an agent. */
export interface IntentFinding {
  readonly tenantId: string;
  /** The intent; for an end that names none, the end itself. */
  readonly intentId: string;
  /** The record that the finding is about: of the intent, or of the end. */
  readonly about: {
    readonly auditId: string;
    readonly epoch: number;
    readonly sequence: number;
    readonly isSensitive: boolean;
  };
  readonly action: string | undefined;
  /** When the end should have been there; absent for an end without an intent. */
  readonly deadline?: Date | undefined;
  /** The clock of the database. */
  readonly now: Date;
}

/** `agent.action.unresolved`: no end of the intent was reported by its deadline. Each intent has at most one: the first wins. */
export function unresolvedRecord(finding: IntentFinding): EventItem {
  return findingRecord('agent.action.unresolved', 'intent-unresolved', finding);
}

/** `agent.action.unexplained`: the end of an action was reported, and no intent. At most one for each intent: the first wins. */
export function unexplainedRecord(finding: IntentFinding): EventItem {
  return findingRecord('agent.action.unexplained', 'effect-unexplained', finding);
}

function findingRecord(
  eventType: 'agent.action.unresolved' | 'agent.action.unexplained',
  family: 'intent-unresolved' | 'effect-unexplained',
  { tenantId, intentId, about, action, deadline, now }: IntentFinding,
): EventItem {
  const item = serviceEvent({
    audit_id: derivedId(family, tenantId, intentId),
    tenant_id: tenantId,
    timestamp: now.toISOString(),
    event_type: eventType,
    event_category: 'agent',
    severity: 'warning',
    target_type: 'intent',
    target_id: intentId,
    parent_id: about.auditId,
    ...(about.isSensitive && { is_sensitive: true }),
    context: { ...(action !== undefined && { action }) },
    ...(eventType === 'agent.action.unresolved' && { outcome: { outcome_status: 'timed_out' } }),
    metadata: {
      epoch: about.epoch,
      sequence_number: about.sequence,
      ...(deadline !== undefined && { deadline: deadline.toISOString() }),
    },
  });
  return { ...item, firstWins: true };
}
