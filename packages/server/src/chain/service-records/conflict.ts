import { createHash } from 'node:crypto';
import type { EventItem } from '../batch.ts';
import { type DeadLetter, toDeadLetter } from '../dead-letters.ts';
import { letterEntry, letterRows } from '../letter-rows.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/**
 * What becomes of an event whose audit_id belongs to another event with different content. The event is kept as a dead
 * letter, and a `delivery.conflict` with its hash is chained, so that claiming the id of an event first does not suppress
 * that event without a trace. The record's id is derived from tenant, audit_id and hash, so that a retry adds nothing.
 */
export function conflictOf(
  item: EventItem,
  ingestedAt: string,
): { readonly deadLetter: DeadLetter; readonly record: EventItem } {
  const { audit_id, tenant_id } = item.event;
  const eventHash = createHash('sha256').update(item.canonical).digest('hex');
  const deadLetter = toDeadLetter(item.canonical, item.ingest, [
    {
      code: 'AUDIT_ID_CONFLICT',
      pointer: '/audit_id',
      message: 'is already taken by an event with other content',
    },
  ]);
  const [row] = letterRows([deadLetter]);
  const submitter = submitterOfRefused(item);
  const record = serviceEvent({
    audit_id: derivedId('conflict', tenant_id, audit_id, eventHash),
    tenant_id,
    timestamp: ingestedAt,
    event_type: 'delivery.conflict',
    severity: 'warning',
    target_type: 'event',
    target_id: audit_id,
    metadata: {
      audit_id,
      event_hash: eventHash,
      dead_letter_id: deadLetter.id,
      dead_letter: letterEntry(row!.facts, row!.raw),
      source: item.ingest.source,
      ...(submitter !== undefined && { submitter }),
    },
  });
  return { deadLetter, record };
}

/**
 * Who sent the event; `undefined` for a message, whose topic is the source. The `delivery.gap` of a declared loss is an event of the service itself: it names the operator who
 * declared the loss as its actor, or else the submitter in its metadata.
 */
function submitterOfRefused({ event, ingest }: EventItem): string | undefined {
  if (ingest.trust !== 'service') return ingest.principal;
  if (event.actor_type === 'service') return event.actor_id;
  const submitter = event.metadata?.submitter;
  return typeof submitter === 'string' ? submitter : undefined;
}
