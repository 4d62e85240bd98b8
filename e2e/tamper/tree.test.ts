import type { Queries } from '@tallystick/server/store';
import { describe, expect, test } from 'vitest';
import { crimes, onEachTrail, places } from './crimes.ts';
import { acme } from './trail.ts';

onEachTrail((trail) => {
  describe('tiles', () => {
    const tile = (sql: string) => (session: Queries) => session.query(sql);
    test.each([
      [
        'hashes',
        "update audit_tiles set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where tenant_id = 'acme'",
      ],
      [
        'root',
        "update audit_tiles set root = set_byte(root, 4, get_byte(root, 4) # 1) where tenant_id = 'acme'",
      ],
      ['length', "update audit_tiles set hashes = substr(hashes, 1, 32) where tenant_id = 'acme'"],
      ['nothing in it', "update audit_tiles set hashes = '', root = '' where tenant_id = 'acme'"],
      ['missing', "delete from audit_tiles where tenant_id = 'acme'"],
    ])('%s', async (_, sql) => {
      expect(places(await trail().after(tile(sql)))).toEqual(['TILE_MISMATCH@0']);
    });

    test('one too many', async () => {
      const extra = (level: number, index: number) =>
        tile(
          `insert into audit_tiles select tenant_id, epoch, ${level}, ${index}, root, hashes from audit_tiles where tenant_id = 'acme'`,
        );
      expect(places(await trail().after(extra(0, 1)))).toEqual(['TILE_MISMATCH@256']);
      expect(places(await trail().after(extra(1, 0)))).toEqual(['TILE_MISMATCH@0']);
    });
  });

  describe('the head', () => {
    const state = (assignment: string) => (session: Queries) =>
      session.query(`update audit_chain_state set ${assignment} where tenant_id = '${acme}'`);

    test('unchanged after the tail was cut', async () => {
      const report = await trail().after((session) =>
        session.query('delete from audit_records where tenant_id = $1 and sequence_number >= 295', [acme]),
      );
      expect(report.findings).toEqual([
        { code: 'HEAD_MISMATCH', sequence_number: 295, expected: '300 records', found: '295' },
      ]);
    });

    test('rewritten after the tail was cut: a kept checkpoint reveals it', async () => {
      const report = await trail().after(crimes.cutTail, { checkpoints: [trail().notes[acme]!] });
      // Only the ten records that were not signed are gone.
      expect(report).toMatchObject({ verdict: 'verified', records: 290, unsigned_tail: 0 });
      const twice = async (session: Queries) => {
        await crimes.cutTail(session);
        await crimes.cutTail(session);
      };
      const caught = await trail().after(twice, { checkpoints: [trail().notes[acme]!] });
      expect(caught.findings).toEqual([
        { code: 'HEAD_MISMATCH', sequence_number: 280, expected: '290 records', found: '280' },
      ]);
      // Without a kept checkpoint, and without one in the store, the chain is not "verified" either.
      expect(await trail().after(twice)).toMatchObject({ verdict: 'not_verifiable' });
    });

    test.each([
      ['another hash', "last_hash = decode(repeat('ab', 32), 'hex')", 299],
      ['another frontier', 'frontier = set_byte(frontier, 3, get_byte(frontier, 3) # 1)', 299],
      ['half a frontier', 'frontier = substr(frontier, 1, 32)', 299],
      ['a malformed frontier', "frontier = 'x'", 299],
      ['set back', 'last_sequence = 298', 299],
      ['set forward', 'last_sequence = 300', 300],
    ])('%s', async (_, assignment, place) => {
      expect(places(await trail().after(state(assignment)))).toEqual([`HEAD_MISMATCH@${place}`]);
    });

    test('missing', async () => {
      const report = await trail().after((session) =>
        session.query('delete from audit_chain_state where tenant_id = $1', [acme]),
      );
      expect(places(report)).toEqual(['HEAD_MISMATCH@300']);
    });

    test('deleted with all other data: only a kept checkpoint reveals it', async () => {
      const wipe = async (session: Queries) => {
        for (const table of ['records', 'chain_state', 'tiles', 'checkpoints'])
          await session.query(`delete from audit_${table} where tenant_id = $1`, [acme]);
      };
      expect(await trail().after(wipe)).toMatchObject({ verdict: 'not_verifiable', records: 0 });
      const report = await trail().after(wipe, { checkpoints: [trail().notes[acme]!] });
      expect(report).toMatchObject({ verdict: 'broken', records: 0, head: null });
      expect(places(report)).toEqual(['HEAD_MISMATCH@0']);
    });
  });
});
