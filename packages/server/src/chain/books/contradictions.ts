import type { AccountRow, OtherSubmitterRow } from '../account-rows.ts';
import { highestKnown } from '../account-rows.ts';
import { accountKey } from '../accounting.ts';
import type { MergedBatch } from '../merge-batches.ts';
import type { LockedRows } from '../row-locks.ts';
import type { Contradiction } from '../service-records/contradiction-record.ts';
import type { SourceRange } from '../source-position.ts';

/**
 * Finds declarations of a last number that contradict what is known: a lower one than was declared or seen before, and one
 * by a submitter other than the producer's. They change no account of the producer, so they can't hide a loss.
 *
 * @param positions a statement before the position of its range was applied earlier
 */
export function contradictionsOf(
  { batches, accounts }: MergedBatch,
  { accounts: rows, otherSubmitters }: Pick<LockedRows, 'accounts' | 'otherSubmitters'>,
  positions: ReadonlyMap<SourceRange, number>,
): Contradiction[] {
  if (accounts.every(({ finals }) => finals.length === 0)) return [];
  const found: Contradiction[] = [];
  const accountOf = new Map(accounts.map((account) => [accountKey(account), account]));
  const rowOf = new Map(rows.map((row) => [row.key, row]));
  const declared = new Map<string, number>();
  for (const { statements = [], range } of batches) {
    for (const { submitter, producerId, final, offset } of statements) {
      if (range !== undefined && offset !== undefined && offset < positions.get(range)!) continue;
      for (const { tenantId, finalSeq } of final) {
        const key = accountKey({ submitter, producerId, tenantId });
        const row = rowOf.get(key)!;
        const about = { submitter, producerId, tenantId, finalSeq };
        const seen = highestKnown(accountOf.get(key)!, row);
        const last = Math.max(row.final_seq ?? 0, declared.get(key) ?? 0);
        if (finalSeq < last) found.push({ ...about, known: 'declared', number: last });
        else if (finalSeq < seen) found.push({ ...about, known: 'seen', number: seen });
        else declared.set(key, finalSeq);
        for (const other of othersOf(key, row, finalSeq, otherSubmitters)) {
          found.push({ ...about, known: 'submitter', otherSubmitter: other });
        }
      }
    }
  }
  return found;
}

/** The other submitters of the producer; none where the declaration was made before. */
function othersOf(
  key: string,
  row: AccountRow,
  finalSeq: number,
  others: readonly OtherSubmitterRow[],
): string[] {
  if (row.final_seq !== null && row.final_seq >= finalSeq) return [];
  return others.filter((other) => other.key === key).map(({ submitter }) => submitter);
}
