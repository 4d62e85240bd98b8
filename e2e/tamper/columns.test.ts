import { indexedColumnNames } from '@tallystick/log';
import { expect, test } from 'vitest';
import { onEachTrail, places, set, victim } from './crimes.ts';

onEachTrail((trail) => {
  test.each([...indexedColumnNames, 'ingested_at', 'previous_hash'])('column %s', async (column) => {
    const value = otherValues[column] ?? `'other'`;
    const report = await trail().after((session) => set(session, `"${column}" = ${value}`));
    expect(places(report)).toEqual([`COLUMN_MISMATCH@${victim}`]);
    expect(report.findings[0]!.expected).toMatch(new RegExp(`^${column}: `));
  });

  test.each(['target_id', 'severity'])('column %s emptied', async (column) => {
    const report = await trail().after((session) => set(session, `${column} = null`));
    expect(report.findings).toMatchObject([{ code: 'COLUMN_MISMATCH', found: 'null' }]);
  });
});

const otherValues: { readonly [column: string]: string } = {
  audit_id: "'00000000-0000-7000-8000-000000000000'",
  // Less than a millisecond: below what a record can say.
  timestamp: `"timestamp" + interval '1 microsecond'`,
  ingested_at: "ingested_at + interval '1 microsecond'",
  is_sensitive: 'not is_sensitive',
  previous_hash: "decode(repeat('ab', 32), 'hex')",
};
