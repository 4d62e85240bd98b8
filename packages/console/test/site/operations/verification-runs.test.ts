import type { Verification } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { runsOf } from '../../../src/site/operations/verification-runs.ts';

const check = (fields: Partial<Verification>): Verification => ({
  ...{ id: 1, run_id: 1, tenant_id: 'acme', checked_at: '2026-03-01T12:00:00Z', checked_by: 'key:a' },
  ...{ verdict: 'verified', epoch: 1, first: 0, last: 99, records: 100, unsigned_tail: 0 },
  ...{ findings: 0, first_finding: null, whole: true },
  ...fields,
});

it('joins the parts of a run, also where another run lies between them', () => {
  const finding = { code: 'RECORD_HASH_MISMATCH', sequence_number: 3 };
  const runs = runsOf([
    check({ id: 4, run_id: 1, first: 200, last: 249, records: 50, checked_at: '2026-03-01T12:03:00Z' }),
    check({ id: 3, run_id: 3, checked_by: 'key:b' }),
    check({ id: 2, run_id: 1, first: 100, last: 199, verdict: 'not_verifiable', findings: 1, whole: false }),
    check({ id: 1, verdict: 'broken', findings: 2, first_finding: finding, whole: false }),
  ]);
  expect(runs.map(({ id, by }) => [id, by])).toEqual([
    [1, 'key:a'],
    [3, 'key:b'],
  ]);
  expect(runs[0]).toEqual({
    ...{ id: 1, at: '2026-03-01T12:03:00Z', by: 'key:a', verdict: 'broken', first: 0, last: 249 },
    ...{ records: 250, findings: 3, firstFinding: finding, whole: true },
  });
});

it('does not call a run whole that has not reached the end, or has no records', () => {
  expect(runsOf([check({ whole: false })])[0]).toMatchObject({ whole: false });
  expect(runsOf([check({ first: null, last: null, records: 0, whole: false })])[0]).toMatchObject({
    ...{ first: null, records: 0, whole: false },
  });
  expect(runsOf([])).toEqual([]);
});
