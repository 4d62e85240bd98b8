import { expect, test } from 'vitest';
import { missingRecords } from '../../src/terminal/missing-records.ts';

test.each([
  ['137', '138', 138, 'record 137 is missing'],
  ['137', '141', 141, 'records 137–140 are missing'],
  ['0', '1', 1, 'record 0 is missing'],
  // Record 138 is at the position of 137, and 137 may be anywhere.
  ['137', '138', 137, undefined],
  ['137', '136', 137, undefined],
  [undefined, undefined, 5, undefined],
])('expected %s, found %s at %s', (expected, found, place, words) => {
  const finding = {
    code: 'SEQUENCE_GAP' as const,
    sequence_number: place,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  };
  expect(missingRecords(finding)).toBe(words);
  expect(missingRecords({ ...finding, code: 'CHAIN_LINK_BROKEN' })).toBeUndefined();
});
