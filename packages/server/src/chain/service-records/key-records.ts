import type { EventItem } from '../batch.ts';
import { type PrincipalAct, principalEvent } from './service-event.ts';

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
export function keyCreatedRecord(key: CreatedKey, change: PrincipalAct): EventItem {
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
export function keyRevokedRecord(id: string, change: PrincipalAct): EventItem {
  return keyEvent('audit.key_revoked', id, change, { key_id: id });
}

function keyEvent(
  eventType: string,
  id: string,
  change: PrincipalAct,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return principalEvent(change, { event_type: eventType, target_type: 'api_key', target_id: id, metadata });
}
