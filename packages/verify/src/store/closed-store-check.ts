import type { ClosedEpochs } from '../closed/closed-epochs.ts';
import type { FindingSink } from '../report.ts';
import { compareColumns } from './columns.ts';
import { type Query, readRecords } from './read-store.ts';

/**
 * Checks the records of all epochs that a chain closed, with the columns beside them. Call it when the genesis record of the
 * chain was read.
 */
export async function checkClosedEpochs(
  query: Query,
  tenantId: string,
  closed: ClosedEpochs,
  findings: FindingSink,
): Promise<void> {
  for (const { epoch } of closed.stated) {
    const check = closed.check(epoch)!;
    for await (const row of readRecords(query, tenantId, epoch)) {
      const { sequence_number } = row;
      const record = check.take({
        text: row.record,
        hashHex: row.record_hash,
        sequenceNumber: sequence_number,
      });
      for (const { column } of record === undefined ? [] : compareColumns(row, record)) {
        findings.add({ code: 'COLUMN_MISMATCH', sequence_number, epoch, found: column });
      }
    }
    check.finish();
  }
}
