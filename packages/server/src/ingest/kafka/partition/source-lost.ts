import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { EventItem } from '../../../chain/batch.ts';
import { serviceEvent } from '../../../chain/conflict.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';

/**
 * The `source.lost` record of a range that the broker deleted before it was read. The tenants of its messages are unknown,
 * so the record goes to the chain of the service's own tenant. Its id is derived from the range, so that a retry does not
 * add a second record.
 */
export function lossRecord(
  /** `to` is the last offset of the range. */
  loss: { readonly topic: Topic; readonly partition: number; readonly from: number; readonly to: number },
  tenantId: string,
): EventItem {
  const { topic, partition, from, to } = loss;
  const place = `${topic.clusterId}\0${topic.id}\0${partition}\0${from}\0${to}`;
  return serviceEvent({
    audit_id: uuidv8FromDigest(createHash('sha256').update(`tallystick/source-lost/v1\0${place}`).digest()),
    tenant_id: tenantId,
    // Constant, so that a retry makes the same bytes. `ingested_at` says when the loss was noticed.
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
