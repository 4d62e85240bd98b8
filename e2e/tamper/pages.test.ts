import { describe, expect, test } from 'vitest';
import { double, nothing, onEachTrail, places } from './crimes.ts';
import { large, largeSize } from './trail.ts';

onEachTrail(
  (trail) => {
    describe('pages', () => {
      test('more records than a page holds are read to the end', async () => {
        const seen: number[] = [];
        const report = await trail().after(nothing, {
          tenantId: large,
          onProgress: (records, expected) => seen.push(records, expected),
        });
        expect(report).toMatchObject({ verdict: 'verified', records: largeSize, unsigned_tail: 0 });
        expect(seen).toEqual([1_000, largeSize, 2_000, largeSize]);
      });

      // A page has a thousand rows. The two rows of one position may be on different pages.
      test.each([998, 999, 1_000, 1_001])('a doubled position %i is one duplicate', async (position) => {
        const report = await trail().after((session) => double(session, large, position), {
          tenantId: large,
        });
        expect(report.records).toBe(largeSize + 1);
        expect(places(report).filter((place) => place.startsWith('SEQUENCE_'))).toEqual([
          `SEQUENCE_DUPLICATE@${position}`,
        ]);
      });

      test.each([999, 1_000, 1_001])('a gap at %i is one gap', async (position) => {
        const report = await trail().after(
          (session) =>
            session.query('delete from audit_records where tenant_id = $1 and sequence_number = $2', [
              large,
              position,
            ]),
          { tenantId: large },
        );
        expect(places(report).filter((place) => place.startsWith('SEQUENCE_'))).toEqual([
          `SEQUENCE_GAP@${position + 1}`,
        ]);
      });

      test('the report has at most a thousand findings', async () => {
        const report = await trail().after(
          (session) =>
            session.query('update audit_records set severity = null where tenant_id = $1', [large]),
          { tenantId: large },
        );
        expect(report).toMatchObject({ verdict: 'broken', records: largeSize });
        expect(report.findings).toHaveLength(1_000);
      });
    });
  },
  { more: [large] },
);
