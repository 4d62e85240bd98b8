import { emptyRoot, formatCheckpoint, signNote } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import { describe, expect, test } from 'vitest';
import { nothing, onEachTrail, places } from './crimes.ts';
import { acme, globex, logName, type WrittenTrail } from './trail.ts';

onEachTrail((trail) => {
  const origin = `${logName}/${acme}/1`;
  describe('an untouched trail', () => {
    test('is verified up to its checkpoint, with or without a kept checkpoint', async () => {
      const expected = {
        verdict: 'verified',
        tenant_id: acme,
        records: 300,
        covered_to: 289,
        unsigned_tail: 10,
        trust: { source: 'given', keys: [trail().keys[acme]] },
        findings: [],
      };
      const notes: string[] = [];
      const onTrusted = (note: string) => notes.push(note);
      expect(await trail().after(nothing, { onTrusted })).toMatchObject(expected);
      expect(await trail().after(nothing, { checkpoints: [trail().notes[acme]!] })).toMatchObject(expected);
      expect(notes).toEqual([trail().notes[acme]]);
    });

    test('is not verifiable without a key, without a checkpoint, and without records', async () => {
      const outcomes = async (...[crime, options]: Parameters<WrittenTrail['after']>) => {
        const report = await trail().after(crime, options);
        expect(report).toMatchObject({ verdict: 'not_verifiable', covered_to: null, unsigned_tail: 0 });
        return places(report);
      };
      expect(await outcomes(nothing, { keys: [] })).toEqual(['CHECKPOINT_UNTRUSTED']);
      expect(await outcomes(nothing, { keys: [trail().keys[globex]!] })).toEqual(['CHECKPOINT_UNTRUSTED']);
      expect(await outcomes(nothing, { tenantId: 'nobody', keys: [] })).toEqual(['NOTHING_COVERED']);
      // If all events of a tenant were refused under the lock, its chain state has no records. It was reported as a broken chain.
      const headOnly = (session: Queries) =>
        session.query(
          `insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
           values ('refused', 1, -1, ''::bytea, to_timestamp(0), ''::bytea)`,
        );
      expect(await outcomes(headOnly, { tenantId: 'refused', keys: [] })).toEqual(['NOTHING_COVERED']);
      const unsigned = (session: Queries) => session.query('delete from audit_checkpoints');
      expect(await outcomes(unsigned)).toEqual(['CHECKPOINT_UNTRUSTED']);
      const ofNothing = await signNote(formatCheckpoint({ origin, size: 0, root: emptyRoot }), [
        { name: origin, key: trail().stolenKey },
      ]);
      expect(await outcomes(unsigned, { checkpoints: [ofNothing] })).toEqual(['NOTHING_COVERED']);
    });
  });
});
