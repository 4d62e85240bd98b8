import { decodeFrontier, equalBytes, frontierRoot, LogError } from '@tallystick/log';
import type { FindingSink } from '../report.ts';
import type { TreeCheck } from '../tree-check.ts';
import type { StoredHead } from './read-store.ts';
import type { RecordsCheck } from './records-check.ts';

/**
 * Compares the stored head with the end of the chain: number of records, hash and time of the last one, and root of the tree.
 *
 * @param tree of all records; absent where it is not known
 */
export function checkHead(
  head: StoredHead | undefined,
  records: RecordsCheck,
  tree: TreeCheck | undefined,
  findings: FindingSink,
): void {
  const end = records.nextSequence;
  if (head === undefined) {
    if (records.records > 0) {
      findings.add({ code: 'HEAD_MISMATCH', sequence_number: records.records, found: 'no head' });
    }
  } else if (head.last_sequence + 1 !== end) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: Math.min(head.last_sequence + 1, end),
      expected: `${head.last_sequence + 1} records`,
      found: `${end}`,
    });
  } else if (head.last_hash !== records.headHash) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: end - 1,
      expected: head.last_hash,
      found: records.headHash,
    });
  } else if (records.lastIngestedAt !== undefined && head.last_ingested_at !== records.lastIngestedAt) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: end - 1,
      expected: `last_ingested_at: ${records.lastIngestedAt}`,
      found: head.last_ingested_at,
    });
  } else if (tree !== undefined && !hasRootOf(head, tree)) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: end - 1,
      expected: "the root of the records' tree",
      found: 'another root',
    });
  }
}

function hasRootOf({ last_sequence, frontier }: StoredHead, tree: TreeCheck): boolean {
  try {
    return equalBytes(frontierRoot(decodeFrontier(last_sequence + 1, frontier)), tree.root());
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}
