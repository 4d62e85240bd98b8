import { readRecord } from '@tallystick/log';
import type { OperationOutcome } from '@tallystick/protocol';
import {
  type BegunOperation,
  begunId,
  finishedId,
  type OperationKey,
  outcomeDigest,
} from '../chain/service-records/operation-records.ts';
import { ownId } from '../chain/service-records/own-id.ts';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';

/** An operation whose row is what its records say. */
export interface RecordedOperation extends BegunOperation {
  /** Absent while it runs, and if its process has died. */
  readonly ended?: OperationOutcome | undefined;
}

// One statement sees one snapshot, and each record is one probe of a unique index in each partition.
const operationSql = `
  select o.document_digest, o.intent_id::text as intent_id, o.begun_by, o.outcome, o.outcome_salt,
         (select r.record from audit_records r join audit_chain_ranges g
             on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
           where r.tenant_id = $1 and r.audit_id = $3::uuid) as begun,
         (select r.record from audit_records r join audit_chain_ranges g
             on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
           where r.tenant_id = $1 and r.audit_id = $4::uuid) as finished
    from (select) one left join audit_operations o on o.tenant_id = $1 and o.idempotency_key = $2`;

/**
 * Reads an operation, and compares it with the records of its begin and its end. A login to the database can change the row. It can't
 * make these records: their ids depend on a secret in the signer's directory.
 *
 * @returns `undefined` if it has not begun
 * @throws {ServerError} `OPERATION_MISMATCH`
 */
export async function readRecordedOperation(
  database: Database,
  key: OperationKey,
  recordIdSecret: Uint8Array | undefined,
): Promise<RecordedOperation | undefined> {
  const { tenant_id, idempotency_key } = key;
  const [row] = await database.query<OperationRow>(writer, operationSql, [
    tenant_id,
    idempotency_key,
    ownId(tenant_id, begunId(key), recordIdSecret),
    ownId(tenant_id, finishedId(key), recordIdSecret),
  ]);
  const { document_digest, intent_id, begun_by, outcome, outcome_salt } = row!;
  const begun = factsOf(row!.begun);
  if (document_digest === null && begun === undefined) return undefined;
  const digest = factsOf(row!.finished)?.outcome_digest ?? begun?.outcome_digest;
  const stored = outcome === null ? undefined : outcomeDigest(outcome_salt ?? '', outcome);
  const isAsBegun =
    begun !== undefined &&
    document_digest === begun.document_digest &&
    intent_id === begun.intent_id &&
    begun_by === begun.begun_by;
  if (!isAsBegun || stored !== digest) throw operationMismatch();
  return {
    ...key,
    document_digest: begun.document_digest,
    intent_id: begun.intent_id,
    begun_by: begun.begun_by,
    begun_at: begun.begun_at,
    ...(outcome !== null && { ended: JSON.parse(outcome) as OperationOutcome }),
  };
}

/** The row of an operation is not what the records say. It must not begin, and its outcome must not be used. */
export function operationMismatch(): ServerError {
  return new ServerError(
    'OPERATION_MISMATCH',
    'the stored operation is not the one that the records of the service describe, so it can neither begin nor end; ' +
      'verify the trail of this tenant, find out whether the action has run, and use a new idempotency key',
  );
}

interface OperationRow {
  readonly document_digest: string | null;
  readonly intent_id: string | null;
  readonly begun_by: string | null;
  readonly outcome: string | null;
  readonly outcome_salt: string | null;
  readonly begun: string | null;
  readonly finished: string | null;
}

interface RecordedFacts {
  readonly document_digest: string;
  readonly intent_id: string;
  readonly begun_by: string;
  readonly begun_at: string;
  readonly outcome_digest?: string;
}

function factsOf(text: string | null): RecordedFacts | undefined {
  if (text === null) return undefined;
  try {
    const { event, ingest } = readRecord(text);
    if (ingest.trust !== 'service') return undefined;
    return (event as unknown as { readonly metadata?: RecordedFacts }).metadata;
  } catch {
    return undefined;
  }
}
