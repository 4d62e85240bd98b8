import { uuidv7Time } from '@tallystick/event';
import type { ProducerAccount } from '@tallystick/protocol';
import type { EventItem, ProducerStatement } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** One `delivery.gap` for each range of numbers that these statements declare lost. */
export function gapRecords(statements: readonly ProducerStatement[]): EventItem[] {
  return statements.flatMap(({ submitter, producerId, service, gaps, declaredBy }) =>
    gaps.map(({ tenantId, from, to, reason }) =>
      serviceEvent({
        audit_id: derivedId('gap', submitter, producerId, tenantId, from, to),
        tenant_id: tenantId,
        // The start of the producer, so that the event has the same bytes whenever the gap is declared again. When the
        // service learnt of the gap is the record's ingested_at.
        timestamp: new Date(uuidv7Time(producerId) ?? 0).toISOString(),
        event_type: 'delivery.gap',
        severity: 'warning',
        ...(declaredBy !== undefined && { actor_type: 'service', actor_id: declaredBy }),
        target_type: 'producer',
        target_id: producerId,
        metadata: {
          producer_id: producerId,
          submitter,
          from,
          to,
          events: to - from + 1,
          reason,
          ...(service !== undefined && { service }),
        },
      }),
    ),
  );
}

/**
 * The `delivery.unclosed` of a producer that is gone and has not declared its last number.
 *
 * @param by principal of the operator who closes the account
 */
export function unclosedRecord(account: ProducerAccount, reason: string, by: string): EventItem {
  const { submitter, producer_id, tenant_id, service, numbers, last_seen_at, final_seq } = account;
  // A producer that went on after its end was declared can be closed a second time.
  const reopened = final_seq === null ? [] : [numbers];
  return serviceEvent({
    audit_id: derivedId('unclosed', submitter, producer_id, tenant_id, ...reopened),
    tenant_id,
    // When the producer was last seen. When its account was closed is the record's ingested_at.
    timestamp: last_seen_at,
    event_type: 'delivery.unclosed',
    severity: 'warning',
    actor_type: 'service',
    actor_id: by,
    target_type: 'producer',
    target_id: producer_id,
    metadata: { producer_id, submitter, numbers, reason, ...(service !== null && { service }) },
  });
}
