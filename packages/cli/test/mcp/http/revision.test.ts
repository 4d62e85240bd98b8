import { expect, test } from 'vitest';
import { isWithoutSessions, statedRevision } from '../../../src/mcp/http/revision.ts';

test('only a date is a revision', () => {
  expect(['2026-07-28', '2027-01-01'].map(isWithoutSessions)).toEqual([true, true]);
  for (const other of ['2026-07-27', '2025-11-25', 'zzz', '2026-07-28-draft', '2026-7-28', undefined])
    expect(isWithoutSessions(other)).toBe(false);
});

test('a text that can not be the value of a header is not taken as a revision', () => {
  const stating = (version: unknown) => ({
    params: { _meta: { 'io.modelcontextprotocol/protocolVersion': version } },
  });
  expect(statedRevision(stating('2026-07-28'))).toBe('2026-07-28');
  for (const wrong of ['a\nb', '', 'ü', 7]) expect(statedRevision(stating(wrong))).toBeUndefined();
  expect(statedRevision({ params: null })).toBeUndefined();
});
