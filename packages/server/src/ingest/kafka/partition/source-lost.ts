import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { EventItem } from '../../../chain/batch.ts';
import { serviceEvent } from '../../../chain/conflict.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';

/**
 * The record of a range that the broker dropped before it was read. Nobody can tell any more whose messages it held, so it
 * stands in the chain of the service's own tenant. Its id is derived from the range, so that a retry adds nothing.
 *
 * @param to last offset of the range
 */
export function lossRecord(
  loss: { readonly topic: Topic; readonly partition: number; readonly from: number; readonly to: number },
  tenantId: string,
): EventItem {
  const { topic, partition, from, to } = loss;
  const place = `${topic.clusterId}\0${topic.id}\0${partition}\0${from}\0${to}`;
  return serviceEvent({
    audit_id: uuidv8FromDigest(createHash('sha256').update(`tallystick/source-lost/v1\0${place}`).digest()),
    tenant_id: tenantId,
    // The same whenever it is noticed again, so that the event's bytes are; when it was noticed is its ingested_at.
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
