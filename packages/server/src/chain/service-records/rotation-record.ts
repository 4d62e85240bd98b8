import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** A rotation of the key that signs checkpoints. */
export interface RecordedRotation {
  readonly logName: string;
  /** Verifier keys under the name of the log. */
  readonly oldKey: string;
  readonly newKey: string;
  /** RFC 3339. */
  readonly rotatedAt: string;
  /** Number of logs whose last checkpoint the statement names. */
  readonly logs: number;
  /** The statement, signed by both keys. */
  readonly statement: string;
  readonly reason: string;
  readonly by: string;
}

/**
 * The `audit.log_key_rotated` of a rotation. It says who replaced the key, and why. It proves nothing about the keys: the statement in
 * it does. The id is derived, so that a command and a replica that record the same rotation write one record.
 */
export function rotationRecord(rotation: RecordedRotation, serviceTenant: string): EventItem {
  const { logName, oldKey, newKey, rotatedAt, logs, statement, reason, by } = rotation;
  const item = serviceEvent({
    audit_id: derivedId('log-key-rotated', logName, newKey),
    tenant_id: serviceTenant,
    timestamp: rotatedAt,
    event_type: 'audit.log_key_rotated',
    severity: 'critical',
    actor_type: 'service',
    actor_id: by,
    target_type: 'log_key',
    target_id: newKey,
    metadata: { log_name: logName, old_key: oldKey, new_key: newKey, logs, reason, statement },
  });
  return { ...item, firstWins: true };
}
