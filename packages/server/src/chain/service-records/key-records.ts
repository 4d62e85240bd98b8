import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { serviceEvent } from './service-event.ts';

/** Who changes a key, when, and the tenant of the chain that records it. */
export interface KeyChange {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly chain: string;
}

/** What a record says of a new key. */
export interface CreatedKey {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret's stored hash, hex. */
  readonly secretSha256: string;
  readonly scopes: readonly string[];
  readonly tenants: readonly string[] | undefined;
  readonly expiresAt: Date | undefined;
  readonly subject: string | undefined;
}

/** The `audit.key_created` of a key. The database creates the key from this record. */
export function keyCreatedRecord(key: CreatedKey, change: KeyChange): EventItem {
  const { id, name, secretSha256, scopes, tenants, expiresAt, subject } = key;
  return keyEvent('audit.key_created', id, change, {
    key_id: id,
    name,
    secret_sha256: secretSha256,
    scopes: [...scopes],
    ...(tenants !== undefined && { tenants: [...tenants] }),
    ...(expiresAt !== undefined && { expires_at: expiresAt.toISOString() }),
    ...(subject !== undefined && { subject }),
  });
}

/** The `audit.key_revoked` of a key. */
export function keyRevokedRecord(id: string, change: KeyChange): EventItem {
  return keyEvent('audit.key_revoked', id, change, { key_id: id });
}

function keyEvent(
  eventType: string,
  id: string,
  { by, now, chain }: KeyChange,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return serviceEvent({
    audit_id: uuidv7(now),
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    event_type: eventType,
    actor_type: 'service',
    actor_id: by,
    target_type: 'api_key',
    target_id: id,
    metadata,
  });
}
