import { createHash } from 'node:crypto';
import { type AuditEvent, canonicalize, uuidv7, uuidv8FromDigest } from '@tallystick/event';
import type { EventItem } from '../batch.ts';

/** An event that the service itself writes into a chain, about the trail. */
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

/** Who does something with the service, when, and the tenant of the chain that records it. */
export interface PrincipalAct {
  /** Principal of the API. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly chain: string;
}

/** An event about what a principal does with the service: it changes keys, blocks a subject, or purges dead letters. */
export function principalEvent(
  { by, now, chain }: PrincipalAct,
  fields: Pick<AuditEvent, 'event_type'> & Partial<AuditEvent>,
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    actor_type: 'service',
    actor_id: by,
    ...fields,
  });
}

/** The families of service records whose ids are derived. */
export type DerivedFamily =
  | 'conflict'
  | 'gap'
  | 'unclosed'
  | 'contradiction'
  | 'books-opened'
  | 'source-lost'
  | 'redaction-changed'
  | 'log-key-rotated'
  | 'audit.read'
  | 'intent-unresolved'
  | 'effect-unexplained'
  | 'approval-change'
  | 'approval-rules-change'
  | 'operation-begun'
  | 'operation-finished';

/**
 * The id of a service record, derived from what the record is about: a retry, or another replica that writes the same
 * record, gets the same id and adds nothing. The derivation is a stored format: changing it would repeat records. Before the
 * record is chained, {@link withOwnId} makes an id of it that no client can compute.
 *
 * @param parts what identifies the record within its family
 */
export function derivedId(family: DerivedFamily, ...parts: readonly (string | number)[]): string {
  const identity = [`tallystick/${family}/v1`, ...parts].join('\0');
  return uuidv8FromDigest(createHash('sha256').update(identity).digest());
}
