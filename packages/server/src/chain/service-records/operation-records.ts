import { createHash } from 'node:crypto';
import type { OperationAttempt, OperationOutcome } from '@tallystick/protocol';
import type { EventItem } from '../batch.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** An operation: a tenant has each idempotency key once. */
export type OperationKey = Pick<OperationAttempt, 'tenant_id' | 'idempotency_key'>;

/** What the begin of an operation says. */
export interface BegunOperation extends OperationAttempt {
  readonly begun_by: string;
  /** RFC 3339. */
  readonly begun_at: string;
}

/** `sha256:` and the SHA-256 of the salt and the text of the outcome, as the table has both. */
export function outcomeDigest(salt: string, outcome: string): string {
  return `sha256:${createHash('sha256').update(`${salt}${outcome}`).digest('hex')}`;
}

/** The id of the record of a begin, before the service makes it its own. A chain has each id once: a key begins once. */
export function begunId({ idempotency_key }: OperationKey): string {
  return derivedId('operation-begun', idempotency_key);
}

/** The id of the record of an end, before the service makes it its own. */
export function finishedId({ idempotency_key }: OperationKey): string {
  return derivedId('operation-finished', idempotency_key);
}

/** The record of an operation that begins, in the transaction that begins it. */
export function operationBegunRecord(operation: BegunOperation, now: number): EventItem {
  return operationEvent('audit.operation_begun', operation, now, {
    audit_id: begunId(operation),
    actor_type: 'service',
    actor_id: operation.begun_by,
    outcome: { outcome_status: 'pending' },
    metadata: facts(operation),
  });
}

/** The record of the end of an operation. It has no result: the row has it, and the record has the digest of the row's outcome. */
export function operationFinishedRecord(
  operation: BegunOperation,
  end: { readonly status: OperationOutcome['status']; readonly digest: string },
  now: number,
): EventItem {
  return operationEvent('audit.operation_finished', operation, now, {
    audit_id: finishedId(operation),
    actor_type: 'service',
    actor_id: operation.begun_by,
    outcome: { outcome_status: end.status },
    metadata: { outcome_digest: end.digest },
  });
}

/**
 * The record that puts an operation of an earlier version on record as the table has it.
 *
 * @param outcome digest of the stored outcome; absent where the operation has none
 */
export function operationAdoptedRecord(
  operation: BegunOperation,
  outcome: string | undefined,
  now: number,
): EventItem {
  return operationEvent('audit.operation_adopted', operation, now, {
    audit_id: begunId(operation),
    metadata: { ...facts(operation), ...(outcome !== undefined && { outcome_digest: outcome }) },
  });
}

function operationEvent(
  eventType: string,
  { tenant_id, idempotency_key, intent_id }: OperationAttempt,
  now: number,
  fields: Pick<EventItem['event'], 'audit_id'> & Partial<EventItem['event']>,
): EventItem {
  const item = serviceEvent({
    tenant_id,
    timestamp: new Date(now).toISOString(),
    event_type: eventType,
    target_type: 'operation',
    target_id: idempotency_key,
    parent_id: intent_id,
    idempotency_key,
    ...fields,
  });
  return { ...item, firstWins: true };
}

function facts({ document_digest, intent_id, begun_by, begun_at }: BegunOperation) {
  return { document_digest, intent_id, begun_by, begun_at };
}
