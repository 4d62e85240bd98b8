import { createHmac } from 'node:crypto';
import { canonicalize, uuidv8FromDigest } from '@tallystick/event';
import { readRecord } from '@tallystick/log';
import type { EventItem } from '../batch.ts';
import type { StoredEvent } from '../duplicates.ts';

/** A record of the service under the id that it is chained with, and under the one that version 0.1 would have used. */
export interface OwnIdRecord {
  readonly item: EventItem;
  readonly formerly?: EventItem;
}

/**
 * Gives a record of the service an id that no client can compute. `derivedId` depends only on what the record is about, so a
 * client that knows it could submit an event with this id first, and the service could not chain its record. The keyed hash
 * of it is as stable: a retry, or another replica, gets the same id.
 *
 * @param secret of the installation; it never changes, or records would be repeated. Absent: the id stays
 * @returns the item as it is, unless the service made it and derived its id
 */
export function withOwnId(item: EventItem, secret: Uint8Array | undefined): OwnIdRecord {
  if (secret === undefined || item.ingest.trust !== 'service' || !isDerived(item.event.audit_id)) {
    return { item };
  }
  const { tenant_id, audit_id } = item.event;
  const event = { ...item.event, audit_id: ownId(tenant_id, audit_id, secret) };
  return { item: { ...item, event, canonical: canonicalize(event) }, formerly: item };
}

/** The id with which {@link withOwnId} chains a record whose id was derived. */
export function ownId(tenantId: string, derived: string, secret: Uint8Array | undefined): string {
  if (secret === undefined) return derived;
  const text = `tallystick/own-id/v1\0${tenantId}\0${derived}`;
  return uuidv8FromDigest(createHmac('sha256', secret).update(text).digest());
}

/** Ids that the service derives are UUIDv8; those that it draws are UUIDv7. */
function isDerived(auditId: string): boolean {
  return auditId[14] === '8';
}

/** Whether the service wrote the record. A client may have used the id. */
export function isOwnRecord({ record }: StoredEvent): boolean {
  return readRecord(record).ingest.trust === 'service';
}
