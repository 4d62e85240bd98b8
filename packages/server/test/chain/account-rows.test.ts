import { uuidv7 } from '@tallystick/event';
import { mergeRanges } from '@tallystick/log';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import { writer } from '../../src/store/database.ts';
import { logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

type Range = [first: number, last: number];

const numbersOf = (ranges: readonly Range[]) =>
  new Set(ranges.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, at) => a + at)));
const ascending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

describe('mergeRanges', () => {
  const range = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 }))
    .map(([first, more]): Range => [first, first + more]);

  test('returns the same numbers, in separate ascending ranges', () => {
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const merged = mergeRanges(ranges);
        expect(ascending(numbersOf(merged))).toEqual(ascending(numbersOf(ranges)));
        for (const [at, [first]] of merged.entries())
          if (at > 0) expect(first).toBeGreaterThan(merged[at - 1]![1] + 1);
      }),
    );
  });
});

onEachStore((store) => {
  // One account with 60,000 open ranges made each of its events cost 0.6 s, because each read all of them.
  test('whatever the order of the numbers, the rows hold the settled ones in as few ranges as possible', async () => {
    const batch = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 4 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
        const [tenant, producer] = [newTenant(), uuidv7()];
        const settled: Range[] = [];
        for (const ranges of batches) {
          const gaps = ranges.map(([from, more]) => ({
            tenantId: tenant,
            from,
            to: from + more,
            reason: 'buffer_full',
          }));
          settled.push(...gaps.map(({ from, to }): Range => [from, to]));
          const statements = [{ submitter: 'key:0123456789ab', producerId: producer, gaps, final: [] }];
          await appendBatch(store().database, { items: [], statements }, { logName });
          const [row] = await store().database.query<{ settled_to: number; highest_seen: number }>(
            writer,
            'select settled_to, highest_seen from audit_producers where producer_id = $1',
            [producer],
          );
          const rows = await store().database.query<{ first_seq: number; last_seq: number }>(
            writer,
            'select first_seq, last_seq from audit_producer_ranges where producer_id = $1 order by first_seq',
            [producer],
          );
          const merged = mergeRanges(settled);
          const contiguous = merged[0]?.[0] === 1 ? merged.shift()![1] : 0;
          expect(row).toEqual({
            settled_to: contiguous,
            highest_seen: Math.max(...settled.map(([, last]) => last)),
          });
          expect(rows.map(({ first_seq, last_seq }) => [first_seq, last_seq])).toEqual(merged);
        }
      }),
      { numRuns: 10 },
    );
  });
});
