import type { OperationAttempt, OperationOutcome, OperationState } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';

/**
 * Begins an operation, unless another attempt has begun it. Durable when it resolves. A crash after that leaves the operation begun:
 * it may have run, and it does not begin again.
 *
 * @throws {ServerError} `IDEMPOTENCY_KEY_REUSED`
 */
export async function beginOperation(
  database: Database,
  attempt: OperationAttempt,
  principal: string,
): Promise<OperationState> {
  const { tenant_id, idempotency_key, document_digest, intent_id } = attempt;
  const begun = await database.query(
    writer,
    `insert into audit_operations (tenant_id, idempotency_key, document_digest, intent_id, begun_by)
     values ($1, $2, $3, $4, $5) on conflict do nothing returning 1 as one`,
    [tenant_id, idempotency_key, document_digest, intent_id, principal],
  );
  if (begun.length > 0) return { status: 'begun' };
  const [row] = await database.query<{ document_digest: string; intent_id: string; outcome: string | null }>(
    writer,
    'select document_digest, intent_id, outcome from audit_operations where tenant_id = $1 and idempotency_key = $2',
    [tenant_id, idempotency_key],
  );
  if (row?.document_digest !== document_digest)
    throw new ServerError('IDEMPOTENCY_KEY_REUSED', 'the idempotency key belongs to another document');
  return {
    status: 'known',
    intent_id: row.intent_id,
    ...(row.outcome !== null && { outcome: JSON.parse(row.outcome) as OperationOutcome }),
  };
}

/** Stores how an operation ended. The first outcome stays. Only the principal that began the operation can end it. */
export async function finishOperation(
  database: Database,
  { tenant_id, idempotency_key, intent_id }: OperationAttempt,
  outcome: OperationOutcome,
  principal: string,
): Promise<void> {
  await database.query(
    writer,
    `update audit_operations set outcome = $5
     where tenant_id = $1 and idempotency_key = $2 and intent_id = $3 and begun_by = $4 and outcome is null`,
    [tenant_id, idempotency_key, intent_id, principal, JSON.stringify(outcome)],
  );
}
