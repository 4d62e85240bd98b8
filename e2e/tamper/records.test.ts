import { indexedColumnNames, sha256, toHex } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import { rewriteRecords } from 'tallystick/demo/forger';
import { describe, expect, test } from 'vitest';
import { crimes, double, onEachTrail, places, replaceRecord, set, treeOf, victim } from './crimes.ts';
import { acme, globex, type WrittenTrail } from './trail.ts';

onEachTrail((trail) => {
  describe('a record', () => {
    test('edited, in its bytes and its column', async () => {
      const report = await trail().after(crimes.editField);
      expect(report).toMatchObject({ verdict: 'broken', covered_to: null });
      expect(places(report)).toEqual([`RECORD_HASH_MISMATCH@${victim}`, ...treeOf(victim)]);
      // The report must not contain the hash that would make the forgery pass.
      const record = await forged(trail(), crimes.editField);
      expect(JSON.stringify(report.findings[0])).not.toContain(toHex(sha256(record)));
    });

    test('edited, with a matching hash', async () => {
      const report = await trail().after((session) =>
        replaceRecord(
          session,
          (text) => text.replace('"success"', '"failure"'),
          "outcome_status = 'failure'",
        ),
      );
      expect(places(report)).toEqual([`CHAIN_LINK_BROKEN@${victim + 1}`, ...treeOf(victim)]);
    });

    test('whose stored hash was edited', async () => {
      const report = await trail().after((session) =>
        set(session, "record_hash = decode(repeat('ab', 32), 'hex')"),
      );
      expect(places(report)).toEqual([`RECORD_HASH_MISMATCH@${victim}`, `CHAIN_LINK_BROKEN@${victim + 1}`]);
    });

    test.each([
      ['spaces', (text: string) => text.replace(':', ': ')],
      ['a member twice', (text: string) => text.replace('{"event":', '{"event":{},"event":')],
      ['no JSON', () => 'rubbish'],
      ['JSON that is no record', () => '{}'],
      ['nothing', () => ''],
    ])('that is not canonical: %s', async (_, change) => {
      const report = await trail().after((session) => replaceRecord(session, change));
      expect(places(report)).toEqual([
        `RECORD_NOT_CANONICAL@${victim}`,
        `CHAIN_LINK_BROKEN@${victim + 1}`,
        ...treeOf(victim),
      ]);
    });

    test('deleted', async () => {
      const report = await trail().after(crimes.deleteRow);
      expect(report.records).toBe(299);
      expect(report.findings[0]).toEqual({
        code: 'SEQUENCE_GAP',
        sequence_number: victim + 1,
        expected: String(victim),
        found: String(victim + 1),
      });
      expect(places(report)).toEqual([`SEQUENCE_GAP@${victim + 1}`, ...treeOf(victim)]);
    });

    test('moved to another tenant: missing from the first, foreign to the second', async () => {
      const move = (session: Queries) => set(session, `tenant_id = '${globex}'`);
      expect(places(await trail().after(move))[0]).toBe(`SEQUENCE_GAP@${victim + 1}`);
      const other = places(await trail().after(move, { tenantId: globex }));
      expect(other).toContain(`TENANT_MISMATCH@${victim}`);
      expect(other).toContain(`SEQUENCE_GAP@${victim}`);
    });

    test('hidden in another epoch', async () => {
      expect(places(await trail().after((session) => set(session, 'epoch = 2')))[0]).toBe(
        `SEQUENCE_GAP@${victim + 1}`,
      );
    });

    test('swapped with its neighbour', async () => {
      const found = places(await trail().after(crimes.swapRows));
      expect(found).toContain(`SEQUENCE_GAP@${victim}`);
      expect(found).toContain(`SEQUENCE_GAP@${victim + 1}`);
    });

    test('doubled: one position in two partitions', async () => {
      const found = places(await trail().after((session) => double(session, acme, victim)));
      expect(found).toContain(`SEQUENCE_DUPLICATE@${victim}`);
      expect(found).toContain(`COLUMN_MISMATCH@${victim}`);
      expect(found.filter((place) => place.startsWith('SEQUENCE_'))).toHaveLength(1);
    });

    test('copied from another tenant', async () => {
      const report = await trail().after(async (session) => {
        const [row] = await session.query<{ record: string }>(
          'select record from audit_records where tenant_id = $1 and sequence_number = 5',
          [globex],
        );
        await replaceRecord(session, () => row!.record);
      });
      const mismatch = report.findings.find(({ code }) => code === 'TENANT_MISMATCH');
      expect(mismatch).toEqual({
        code: 'TENANT_MISMATCH',
        sequence_number: victim,
        expected: acme,
        found: globex,
      });
    });

    test('added to the end', async () => {
      const report = await trail().after(async (session) => {
        await double(session, acme, 299);
        await session.query(
          `update audit_records set sequence_number = 300
            where tenant_id = $1 and sequence_number = 299 and ingested_at < date_trunc('month', clock_timestamp())`,
          [acme],
        );
      });
      expect(places(report)).toContain('HEAD_MISMATCH@300');
    });
  });

  test('time that runs backwards', async () => {
    const report = await trail().after(async (session) => {
      let earlier = '';
      await rewriteRecords(session, acme, ({ ingested_at, sequence_number }) => {
        if (sequence_number !== victim) return {};
        earlier = new Date(Date.parse(ingested_at) - 1_000).toISOString();
        return { ingested_at: earlier };
      });
      await set(session, `ingested_at = '${earlier}'`);
    });
    expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289', `TIME_REGRESSION@${victim}`]);
  });

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

  describe('the genesis record', () => {
    const genesisOf = (change: (event: Record<string, unknown>) => object) => (session: Queries) =>
      rewriteRecords(session, acme, ({ event, sequence_number }) =>
        sequence_number === 0 ? { event: change(event as never) as never } : {},
      );

    test('of another log', async () => {
      const report = await trail().after(
        genesisOf((event) => ({
          ...event,
          metadata: { ...(event.metadata as object), origin: `other.example.com/${acme}/1` },
        })),
      );
      expect(report.findings[0]).toMatchObject({ code: 'GENESIS_INVALID', sequence_number: 0 });
    });

    test('made an ordinary record', async () => {
      const report = await trail().after(genesisOf((event) => ({ ...event, event_type: 'access.granted' })));
      expect(places(report)).toContain('GENESIS_INVALID@0');
    });

    test('deleted, and one in mid-chain', async () => {
      const remove = (session: Queries) =>
        session.query('delete from audit_records where tenant_id = $1 and sequence_number = 0', [acme]);
      expect(places(await trail().after(remove))[0]).toBe('SEQUENCE_GAP@1');
      const report = await trail().after((session) =>
        rewriteRecords(session, acme, ({ event, sequence_number }) =>
          sequence_number === victim ? { event: { ...event, event_type: 'system.genesis' } } : {},
        ),
      );
      expect(places(report)).toContain(`GENESIS_INVALID@${victim}`);
    });
  });
});

/** The bytes of the victim after an attack. */
async function forged(trail: WrittenTrail, crime: (session: Queries) => Promise<unknown>): Promise<string> {
  let text = '';
  await trail.after(async (session) => {
    await crime(session);
    const [row] = await session.query<{ record: string }>(
      'select record from audit_records where tenant_id = $1 and sequence_number = $2',
      [acme, victim],
    );
    text = row!.record;
  });
  return text;
}

const otherValues: { readonly [column: string]: string } = {
  audit_id: "'00000000-0000-7000-8000-000000000000'",
  // Less than a millisecond, which is the precision of a record.
  timestamp: `"timestamp" + interval '1 microsecond'`,
  ingested_at: "ingested_at + interval '1 microsecond'",
  is_sensitive: 'not is_sensitive',
  previous_hash: "decode(repeat('ab', 32), 'hex')",
};
