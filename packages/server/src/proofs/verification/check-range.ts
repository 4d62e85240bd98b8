import { fromHex, zeroHash } from '@tallystick/log';
import {
  checkHead,
  type Query,
  RecordsCheck,
  readStoredHead,
  type StoredRow,
  TileCheck,
  TileRoots,
  TreeCheck,
} from '@tallystick/verify';
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
  const tiles = new TileCheck();
  const roots = new TileRoots((level, index, root) => tiles.expectAt(level, index, root));
  while (check.nextSequence <= to) {
    signal?.throwIfAborted();
    const rows = await readPage(check.nextSequence, to);
    if (rows.length === 0) break;
    for (const row of rows) {
      const [mismatch] = check.check(row);
      roots.add(row.sequence_number, fromHex(check.headHash)!);
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
  const query: Query = (sql, parameters) => database.query(readerOf(tenantId), sql, parameters);
  await tiles.compare(query, { tenantId, epoch: head.epoch, within: { from, to } }, findings);
  const end = check.nextSequence;
  if (end <= to) {
    findings.add({ code: to === head.sequence ? 'HEAD_MISMATCH' : 'SEQUENCE_GAP', sequence_number: end });
  } else if (to === head.sequence) {
    await compareHead(query, { tenantId, head }, check, findings, tree);
  }
  if (covering !== undefined && end > to && !check.hasGap) {
    if (tree !== undefined) await tree.finishPart(consistencyProver(database, tenantId));
    else findings.add({ code: 'CHECKPOINT_ROOT_MISMATCH', sequence_number: covering.size - 1 });
  }
  return { first: from, last: Math.max(from, end - 1), records: check.records, hash: check.headHash };
}

/** Compares the head as it is stored, unless the chain has grown since the check began. */
async function compareHead(
  query: Query,
  { tenantId, head }: Pick<RangeCheck, 'tenantId' | 'head'>,
  check: RecordsCheck,
  findings: RedactedFindings,
  tree: TreeCheck | undefined,
): Promise<void> {
  // Records that are not those of a checkpoint are reported already, and the head may well be right.
  const isKnown = tree !== undefined && !check.hasGap && tree.mismatched.size === 0;
  const stored = await readStoredHead(query, tenantId);
  if (stored?.epoch !== head.epoch || stored.last_sequence !== head.sequence) return;
  // The place only: what the head should be would help a forger.
  checkHead(stored, check, isKnown ? tree : undefined, {
    add: ({ code, sequence_number }) => findings.add({ code, sequence_number }),
  });
}
