import { uuidv7Time } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** A declaration of a producer's last number that contradicts what is known of the producer. */
export type Contradiction = {
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  /** The declared last number. */
  readonly finalSeq: number;
} & (
  | {
      /** A higher last number was declared before, or a higher number was seen. */
      readonly known: 'declared' | 'seen';
      readonly number: number;
    }
  | {
      /** Another submitter has an account of the producer. */
      readonly known: 'submitter';
      readonly otherSubmitter: string;
    }
);

/**
 * The `delivery.contradiction` of a declaration.
 *
 * @param chain tenant of the chain that records it
 */
export function contradictionRecord(contradiction: Contradiction, chain: string): EventItem {
  const { submitter, producerId, tenantId, finalSeq, known } = contradiction;
  const against = known === 'submitter' ? contradiction.otherSubmitter : contradiction.number;
  return serviceEvent({
    audit_id: derivedId('contradiction', submitter, producerId, tenantId, finalSeq, known, against),
    tenant_id: chain,
    // The start of the producer, so that the event has the same bytes whenever the same is declared again.
    timestamp: new Date(uuidv7Time(producerId) ?? 0).toISOString(),
    event_type: 'delivery.contradiction',
    severity: 'warning',
    target_type: 'producer',
    target_id: producerId,
    metadata: {
      producer_id: producerId,
      submitter,
      tenant_id: tenantId,
      final_seq: finalSeq,
      ...(known === 'declared' && { declared_before: contradiction.number }),
      ...(known === 'seen' && { highest_seen: contradiction.number }),
      ...(known === 'submitter' && { other_submitter: contradiction.otherSubmitter }),
    },
  });
}
