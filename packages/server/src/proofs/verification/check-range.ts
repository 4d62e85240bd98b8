import { zeroHash } from '@tallystick/log';
import { RecordsCheck, type StoredRow, TreeCheck } from '@tallystick/verify';
import type { Database } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { readerOf, type TrailHead } from '../../trail/trail.ts';
import type { LastSigned } from '../signer-store.ts';
import type { RedactedFindings } from './redacted-findings.ts';
import { consistencyProver, readFrontier } from './stored-tree.ts';

const verifyRecords = readSql('verify-records');
/** Records of one page. A page of the largest records has 32 MiB. */
const pageRecords = 128;

/** Sequence numbers to check, both ends included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

export interface RangeCheck {
  readonly tenantId: string;
  readonly origin: string;
  /** The chain's newest record, as the store has it. */
  readonly head: TrailHead;
  readonly signed: LastSigned | undefined;
  readonly range: SequenceRange;
  readonly findings: RedactedFindings;
  readonly signal: AbortSignal | undefined;
}

/** The records that a check has read. */
export interface CheckedRange {
  readonly first: number;
  readonly last: number;
  readonly records: number;
  /** Hash of the last record, hex. */
  readonly hash: string;
}

/** Checks the records of a range with the engine of the verifier, and adds what is wrong to the findings. */
export async function checkRange(
  database: Database,
  { tenantId, origin, head, signed, range, findings, signal }: RangeCheck,
): Promise<CheckedRange> {
  const { from, to } = range;
  const readPage = async (first: number, last: number) =>
    await database.query<StoredRow>(readerOf(tenantId), verifyRecords, [
      tenantId,
      head.epoch,
      first,
      last,
      pageRecords,
    ]);
  const before = from === 0 ? undefined : (await readPage(from - 1, from - 1))[0];
  const covering = signed !== undefined && from < signed.size ? signed : undefined;
  const start = covering === undefined ? undefined : await readFrontier(database, tenantId, from);
  const tree =
    covering === undefined || start === undefined ? undefined : new TreeCheck([covering], findings, start);
  const check = new RecordsCheck({
    tenantId,
    origin,
    ...(from > 0 && { after: { sequenceNumber: from - 1, hashHex: before?.record_hash ?? zeroHash } }),
    tree,
    findings,
  });
  while (check.nextSequence <= to) {
    signal?.throwIfAborted();
    const rows = await readPage(check.nextSequence, to);
    if (rows.length === 0) break;
    for (const row of rows) {
      const [mismatch] = check.check(row);
      // The name of the first column only: the reader of the report may not be allowed to see its value.
      if (mismatch !== undefined) {
        findings.add({
          code: 'COLUMN_MISMATCH',
          sequence_number: row.sequence_number,
          found: mismatch.column,
        });
      }
    }
  }
  const end = check.nextSequence;
  if (end <= to) {
    findings.add({ code: to === head.sequence ? 'HEAD_MISMATCH' : 'SEQUENCE_GAP', sequence_number: end });
  } else if (to === head.sequence && check.headHash !== head.hash) {
    findings.add({ code: 'HEAD_MISMATCH', sequence_number: to });
  }
  if (covering !== undefined && end > to && !check.hasGap) {
    if (tree !== undefined) await tree.finishPart(consistencyProver(database, tenantId));
    else findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number: covering.size - 1 });
  }
  return { first: from, last: Math.max(from, end - 1), records: check.records, hash: check.headHash };
}
