import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** A range of a topic's partition that the broker deleted before the service had read it. */
export interface SourceLoss {
  readonly topic: { readonly clusterId: string; readonly id: string; readonly name: string };
  readonly partition: number;
  readonly from: number;
  /** Last offset of the range. */
  readonly to: number;
}

/**
 * The `source.lost` of a range. Whose messages the range held is not known, so the record goes into the chain of the
 * service's tenant.
 */
export function lossRecord({ topic, partition, from, to }: SourceLoss, serviceTenant: string): EventItem {
  return serviceEvent({
    audit_id: derivedId('source-lost', topic.clusterId, topic.id, partition, from, to),
    tenant_id: serviceTenant,
    // A constant, so that the event has the same bytes whenever the loss is noticed again. When it was noticed is the
    // record's ingested_at.
    timestamp: new Date(0).toISOString(),
    event_type: 'source.lost',
    severity: 'critical',
    target_type: 'topic',
    target_id: topic.name,
    metadata: {
      source: 'kafka',
      cluster_id: topic.clusterId,
      topic: topic.name,
      topic_id: topic.id,
      partition,
      from,
      to,
      offsets: to - from + 1,
    },
  });
}
