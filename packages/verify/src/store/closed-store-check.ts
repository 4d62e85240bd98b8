import { tileWidth } from '@tallystick/log';
import type { ClosedEpochCheck } from '../closed/closed-epoch-check.ts';
import type { ClosedEpochs } from '../closed/closed-epochs.ts';
import { TileRoots } from '../closed/tile-roots.ts';
import type { FindingSink } from '../report.ts';
import { compareColumns } from './columns.ts';
import { type Query, readRecords } from './read-store.ts';
import { readListedEpochs } from './strays.ts';
import { TileCheck } from './tile-check.ts';

/**
 * Checks all epochs that a chain closed: their records with the columns beside them, their tiles, and the store's list of closed
 * epochs. Call it when the genesis record of the chain was read.
 */
export async function checkClosedEpochs(
  query: Query,
  tenantId: string,
  closed: ClosedEpochs,
  findings: FindingSink,
): Promise<void> {
  for (const { epoch } of closed.stated) {
    const check = closed.check(epoch)!;
    const tiles = new TileCheck();
    const roots = new TileRoots((level, index, root) => tiles.expectAt(level, index, root));
    for await (const row of readRecords(query, tenantId, epoch)) {
      const { sequence_number } = row;
      const record = check.take(
        { text: row.record, hashHex: row.record_hash, sequenceNumber: sequence_number },
        (hash) => roots.add(sequence_number, hash),
      );
      for (const { column } of record === undefined ? [] : compareColumns(row, record)) {
        findings.add({ code: 'COLUMN_MISMATCH', sequence_number, epoch, found: column });
      }
    }
    check.finish();
    const ofEpoch: FindingSink = { add: (finding) => findings.add({ ...finding, epoch }) };
    const mayBeStored = (level: number, index: number) => isWithin(check, level, index);
    await tiles.compare(query, { tenantId, epoch }, ofEpoch, mayBeStored);
  }
  await checkListedEpochs(query, tenantId, closed, findings);
}

/** A tile of records that were lost in part can still be stored. */
function isWithin({ end }: ClosedEpochCheck, level: number, index: number): boolean {
  return level >= 0 && index >= 0 && (index + 1) * tileWidth ** (level + 1) <= end;
}

/**
 * Reads of a closed epoch end where the store's list says. A list that ends earlier hides records, and one that ends later shows
 * rows that never belonged to the epoch.
 */
async function checkListedEpochs(
  query: Query,
  tenantId: string,
  closed: ClosedEpochs,
  findings: FindingSink,
): Promise<void> {
  const listed = closed.stated.length === 0 ? [] : await readListedEpochs(query, tenantId);
  for (const { epoch, checkpoint, left } of closed.stated) {
    const lastLeft = left.at(-1)?.last ?? -1;
    const last = listed.find((range) => range.epoch === epoch)?.last_sequence;
    if (last !== undefined && last >= lastLeft && last <= Math.max(lastLeft, checkpoint.size - 1)) continue;
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: lastLeft < 0 ? null : lastLeft,
      epoch,
      expected: `the list of closed epochs ends with record ${lastLeft}`,
      found: last === undefined ? 'no such epoch in it' : `record ${last}`,
    });
  }
}
