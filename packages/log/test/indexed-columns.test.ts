import fc from 'fast-check';
import { expect, it } from 'vitest';
import { indexedColumnNames, indexedColumns } from '../src/indexed-columns.ts';
import { event } from './fixture.ts';

it('derives every column from the event, null where it is absent', () => {
  const columns = indexedColumns(event(1, { severity: 'critical', outcome: { outcome_status: 'denied' } }));
  expect(Object.keys(columns).toSorted()).toEqual([...indexedColumnNames].toSorted());
  expect(columns).toMatchObject({
    actor_id: 'u-1',
    severity: 'critical',
    outcome_status: 'denied',
    target_id: null,
    is_sensitive: false,
  });
});

it.each([
  ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
  ['2026-03-01T12:00:00.5Z', '2026-03-01T12:00:00.500Z'],
  ['2026-03-01T12:00:00.123Z', '2026-03-01T12:00:00.123Z'],
  ['2026-03-01T12:00:00.123999999Z', '2026-03-01T12:00:00.123Z'],
])('cuts the time %s to milliseconds', (timestamp, expected) => {
  expect(indexedColumns(event(1, { timestamp })).timestamp).toBe(expected);
});

// A verifier derives the columns of forged records too: it once threw for a malformed time.
it('never throws, whatever JSON a forged record holds', () => {
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.constant({ toString: 1, valueOf: 1 }),
    fc.constant('2026-02-30T00:00:00Z'),
  );
  const fields = fc.constantFrom(...indexedColumnNames, 'outcome');
  fc.assert(
    fc.property(fc.dictionary(fields, hostile), hostile, (forged, status) => {
      for (const one of [forged, { ...forged, outcome: { outcome_status: status } }]) {
        for (const value of Object.values(indexedColumns(one))) {
          expect(['string', 'boolean']).toContain(value === null ? 'string' : typeof value);
        }
      }
    }),
  );
});
