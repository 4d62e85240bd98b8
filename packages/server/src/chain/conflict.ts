import { createHash } from 'node:crypto';
import { type AuditEvent, canonicalize, uuidv8FromDigest } from '@tallystick/event';
import type { EventItem } from './batch.ts';
import { type DeadLetter, toDeadLetter } from './dead-letters.ts';

/** An event of the service's own, about the trail itself. */
export function serviceEvent(
  fields: Pick<AuditEvent, 'tenant_id' | 'event_type' | 'audit_id' | 'timestamp'> & Partial<AuditEvent>,
): EventItem {
  const event: AuditEvent = {
    actor_type: 'system',
    actor_id: 'tallystick',
    source_service: 'tallystick',
    event_category: 'system',
    ...fields,
  };
  return { event, canonical: canonicalize(event), ingest: { source: 'service', trust: 'service' } };
}

/**
 * An event that repeats another's audit_id with other content: it becomes a dead letter, and a `delivery.conflict` with
 * its hash is chained, so that nobody can suppress an event by claiming its id first. The record's own id is derived
 * from both, so that a retry of the same conflict adds nothing.
 */
export function conflictOf(
  item: EventItem,
  ingestedAt: string,
): { deadLetter: DeadLetter; record: EventItem } {
  const { audit_id, tenant_id } = item.event;
  const eventHash = createHash('sha256').update(item.canonical).digest('hex');
  const deadLetter = toDeadLetter(item.canonical, item.ingest, [
    {
      code: 'AUDIT_ID_CONFLICT',
      pointer: '/audit_id',
      message: 'is already taken by an event with other content',
    },
  ]);
  const digest = createHash('sha256')
    .update(`tallystick/conflict/v1\0${tenant_id}\0${audit_id}\0${eventHash}`)
    .digest();
  const record = serviceEvent({
    audit_id: uuidv8FromDigest(digest),
    tenant_id,
    timestamp: ingestedAt,
    event_type: 'delivery.conflict',
    severity: 'warning',
    target_type: 'event',
    target_id: audit_id,
    metadata: { audit_id, event_hash: eventHash, dead_letter_id: deadLetter.id, source: item.ingest.source },
  });
  return { deadLetter, record };
}
