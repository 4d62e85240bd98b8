import { type AuditRecord, readRecord } from '@tallystick/log';
import type { Approval } from '@tallystick/protocol';
import {
  approvalDigest,
  changeRecordId,
  type IntentIds,
  intentIds,
} from '../chain/service-records/approval-records.ts';
import { ownId } from '../chain/service-records/own-id.ts';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';
import { parseApproval, readApproval, type StoredApproval } from './approval-rows.ts';

/** An approval as its row has it, and what the record of its last change adds. */
export interface RecordedApproval extends StoredApproval {
  readonly ids: IntentIds;
}

/** Where approvals and the records of their changes are. */
export interface RecordedApprovals {
  readonly database: Database;
  /** See `withOwnId`. */
  readonly recordIdSecret?: Uint8Array | undefined;
}

// One probe of a unique index in each partition: `npm run bench -- gate` includes it.
const recordSql = `
  select r.record from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1 and r.audit_id = $2::uuid`;

/**
 * Reads an approval, and compares it with the record of its last change. A login to the database can change the row. It can't make the
 * record: the id of the record depends on the number of the change and on a secret in the signer's directory, and the record has the
 * digest of the whole approval. A record with the number of the next change can't be chained twice, so an older row that was put back
 * is found when the desk changes it.
 *
 * @returns `undefined` if there is no row
 * @throws {ServerError} `APPROVAL_MISMATCH`
 */
export async function readRecordedApproval(
  { database, recordIdSecret }: RecordedApprovals,
  tenantId: string,
  id: string,
): Promise<RecordedApproval | undefined> {
  const row = await readApproval(database, tenantId, id);
  if (row === undefined) return undefined;
  const recordId = ownId(tenantId, changeRecordId(id, { version: row.version, index: 0 }), recordIdSecret);
  const [found] = await database.query<{ record: string }>(writer, recordSql, [tenantId, recordId]);
  // An attacker who edits the row controls the text.
  const approval = parseApproval(row.text);
  const change = recordedChange(found?.record);
  if (approval === undefined || !describes(change, id, digestOf(approval))) throw approvalMismatch();
  return { approval, version: row.version, now: row.now, ids: intentIds(change.event) };
}

/** The row of an approval is not what the records say. Nothing may be decided by it. */
export function approvalMismatch(): ServerError {
  return new ServerError(
    'APPROVAL_MISMATCH',
    'the stored approval is not the one that the records of the service describe, so it can not be used; ' +
      'verify the trail of this tenant, and request the approval again, for an action with an idempotency key under a new key',
  );
}

function digestOf(approval: Approval): string | undefined {
  try {
    return approvalDigest(approval);
  } catch {
    return undefined;
  }
}

function recordedChange(record: string | undefined): AuditRecord | undefined {
  try {
    return record === undefined ? undefined : readRecord(record);
  } catch {
    return undefined;
  }
}

function describes(
  change: AuditRecord | undefined,
  id: string,
  digest: string | undefined,
): change is AuditRecord {
  if (change === undefined || digest === undefined) return false;
  const { target_id, metadata } = change.event as RecordedChange;
  return change.ingest.trust === 'service' && target_id === id && metadata?.approval_digest === digest;
}

interface RecordedChange {
  readonly target_id?: string;
  readonly metadata?: { readonly approval_digest?: unknown };
}
