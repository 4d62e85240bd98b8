import type { EventItem } from '../batch.ts';
import { type PrincipalAct, principalEvent } from './service-event.ts';

/** The record of a subject that is blocked. The database blocks it from this record. */
export function subjectBlockedRecord(
  subject: string,
  reason: string | undefined,
  change: PrincipalAct,
): EventItem {
  return subjectEvent('audit.subject_blocked', subject, change, { ...(reason !== undefined && { reason }) });
}

/** The record of the end of a block. */
export function subjectUnblockedRecord(subject: string, change: PrincipalAct): EventItem {
  return subjectEvent('audit.subject_unblocked', subject, change, {});
}

function subjectEvent(
  eventType: string,
  subject: string,
  change: PrincipalAct,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return principalEvent(change, {
    event_type: eventType,
    severity: 'warning',
    target_type: 'subject',
    target_id: subject,
    metadata: { subject, ...metadata },
  });
}
