import { ChainVerifier, leafHash, zeroHash } from '@tallystick/log';
import type { Database } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { type StoredRow, strayColumn } from '../../trail/stored-record.ts';
import { readerOf, type TrailHead } from '../../trail/trail.ts';
import type { SignedHead } from '../signer-store.ts';
import { SignedTree } from './signed-tree.ts';
import type { Findings } from './verdict.ts';

const verifyRecords = readSql('verify-records');
/** A page of the largest records is 32 MiB. */
const pageRecords = 128;

/** Sequence numbers to look at, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly complete: boolean;
}

interface RecordCheck {
  readonly tenantId: string;
  readonly origin: string;
  readonly head: TrailHead;
  readonly signed: SignedHead | undefined;
  readonly range: Range;
  readonly findings: Findings;
}

/** Goes through the records of a range, in order, and notes what is wrong with them. */
export async function checkRecords(
  database: Database,
  { tenantId, origin, head, signed, range, findings }: RecordCheck,
): Promise<{ first: number; last: number; records: number; hash: string }> {
  const { from, to } = range;
  const page = (first: number, last: number) =>
    database.query<StoredRow>(readerOf(tenantId), verifyRecords, [
      tenantId,
      head.epoch,
      first,
      last,
      pageRecords,
    ]);
  const before = from === 0 ? undefined : (await page(from - 1, from - 1))[0];
  const verifier = new ChainVerifier({
    tenantId,
    origin,
    ...(from > 0 && { after: { sequenceNumber: from - 1, hashHex: before?.record_hash ?? zeroHash } }),
  });
  const isSigned = signed !== undefined && from < signed.size;
  const tree = isSigned ? await SignedTree.startAt(database, tenantId, signed, from) : undefined;
  let records = 0;
  let hasGap = false;
  while (verifier.nextSequence <= to) {
    const rows = await page(verifier.nextSequence, to);
    if (rows.length === 0) break;
    for (const row of rows) {
      hasGap ||= row.sequence_number !== verifier.nextSequence;
      const {
        hash,
        record,
        findings: found,
      } = verifier.check({
        text: row.record,
        hashHex: row.record_hash,
        sequenceNumber: row.sequence_number,
      });
      for (const finding of found) findings.addOfChain(finding);
      const stray = record === undefined ? undefined : strayColumn(row, record);
      if (stray !== undefined) {
        findings.add({ code: 'COLUMN_MISMATCH', sequence_number: row.sequence_number, found: stray });
      }
      if (!hasGap) tree?.append(leafHash(hash));
      records++;
    }
  }
  const end = verifier.nextSequence;
  if (end <= to) {
    hasGap = true;
    findings.add({ code: to === head.sequence ? 'HEAD_MISMATCH' : 'SEQUENCE_GAP', sequence_number: end });
  } else if (to === head.sequence && verifier.headHash !== head.hash) {
    findings.add({ code: 'HEAD_MISMATCH', sequence_number: to });
  }
  if (isSigned && !hasGap && !(await (tree?.matchesSigned() ?? false))) {
    findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number: signed.size - 1 });
  }
  return { first: from, last: Math.max(from, end - 1), records, hash: verifier.headHash };
}
