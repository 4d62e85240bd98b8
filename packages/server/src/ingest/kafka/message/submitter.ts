import type { ItemIngest } from '../../../chain/batch.ts';
import { messageSource } from '../../../chain/source-position.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';
import type { MessageHeaders } from './headers.ts';

/** The partition that messages come from. */
export interface MessageOrigin {
  readonly topic: Topic;
  readonly partition: number;
}

/** Who submitted a message, and for which tenants. */
export interface Submitter {
  /** For the records and dead letters of the message. */
  readonly ingest: ItemIngest;
  /** Tenants that the submitter may write for; undefined for every tenant. */
  readonly tenants: readonly string[] | undefined;
}

/**
 * In the gateway's topic, the gateway's headers say who submitted the message over HTTP. Any other message is trusted as
 * far as the broker's access control goes: a client that may write to the topic may write for every tenant.
 */
export function identifySubmitter(
  { gateway }: MessageHeaders,
  offset: number,
  origin: MessageOrigin,
): Submitter {
  if (gateway === undefined) return { ingest: topicIngest(offset, origin), tenants: undefined };
  const { principal, tenants } = gateway;
  return { ingest: { source: sourceOf(offset, origin), trust: 'api-key', principal }, tenants };
}

/** Of a message whose submitter is known to the broker only. */
export function topicIngest(offset: number, origin: MessageOrigin): ItemIngest {
  return { source: sourceOf(offset, origin), trust: 'topic-acl' };
}

/** Adds the number that the producer gave the event. */
export function withProducer(ingest: ItemIngest, { producer }: MessageHeaders): ItemIngest {
  if (producer === undefined) return ingest;
  return { ...ingest, producer_id: producer.id, producer_seq: producer.sequence };
}

function sourceOf(offset: number, { topic, partition }: MessageOrigin): string {
  return messageSource({ clusterId: topic.clusterId, topic: topic.name, partition, offset });
}
