import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import type { KeyChange } from './key-records.ts';
import { serviceEvent } from './service-event.ts';

/** The record of a subject that is blocked. The database blocks it from this record. */
export function subjectBlockedRecord(
  subject: string,
  reason: string | undefined,
  change: KeyChange,
): EventItem {
  return subjectEvent('audit.subject_blocked', subject, change, { ...(reason !== undefined && { reason }) });
}

/** The record of the end of a block. */
export function subjectUnblockedRecord(subject: string, change: KeyChange): EventItem {
  return subjectEvent('audit.subject_unblocked', subject, change, {});
}

function subjectEvent(
  eventType: string,
  subject: string,
  { by, now, chain }: KeyChange,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    event_type: eventType,
    severity: 'warning',
    actor_type: 'service',
    actor_id: by,
    target_type: 'subject',
    target_id: subject,
    metadata: { subject, ...metadata },
  });
}
