import { randomBytes } from 'node:crypto';
import { formatCheckpoint, importSigningKey, sha256, signNote } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import { describe, expect, test } from 'vitest';
import { crimes, nothing, onEachTrail, places } from './crimes.ts';
import { acme, globex, logName } from './trail.ts';

onEachTrail((trail) => {
  const origin = `${logName}/${acme}/1`;
  describe('checkpoints', () => {
    const note = (change: (note: string) => string) => async (session: Queries) => {
      const changed = change(trail().notes[acme]!);
      await session.query('update audit_checkpoints set note = $2 where tenant_id = $1 and size = 290', [
        acme,
        changed,
      ]);
    };
    const signed = (size: number, root: Uint8Array, key = trail().stolenKey) =>
      signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key }]);

    test('the whole chain rewritten and signed with another key', async () => {
      const rewrite = crimes.rewriteChain(await importSigningKey(randomBytes(32)));
      const report = await trail().after(rewrite, { checkpoints: [trail().notes[acme]!] });
      expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289']);
      expect(await trail().after(rewrite)).toMatchObject({ verdict: 'not_verifiable' });
    });

    test('the whole chain rewritten and signed with the stolen key: only a kept checkpoint reveals it', async () => {
      const rewrite = crimes.rewriteChain(trail().stolenKey);
      const report = await trail().after(rewrite, { checkpoints: [trail().notes[acme]!] });
      expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289']);
      expect(await trail().after(rewrite)).toMatchObject({ verdict: 'verified' });
    });

    test.each([
      [
        'another root',
        (text: string) => text.replace(/(?<=^.*\n\d+\n)./, (digit) => (digit === '/' ? 'A' : '/')),
      ],
      ['another size', (text: string) => text.replace('\n290\n', '\n289\n')],
    ])('%s under the old signature', async (_, change) => {
      const report = await trail().after(note(change));
      expect(report.findings[0]!.code).toBe('CHECKPOINT_SIGNATURE_INVALID');
      expect(report.verdict).toBe('broken');
    });

    test.each([
      ['rubbish', () => 'rubbish'],
      ['nothing', () => ''],
      ['that of another log', () => trail().notes[globex]!],
    ])('%s in place of a note', async (_, change) => {
      expect(places(await trail().after(note(change)))).toEqual(['CHECKPOINT_SIGNATURE_INVALID@289']);
    });

    test('two checkpoints of the same size with different roots', async () => {
      const other = await signed(290, sha256('another tree'));
      const report = await trail().after(
        note(() => other),
        { checkpoints: [trail().notes[acme]!] },
      );
      expect(places(report)).toEqual([
        'CHECKPOINT_INCONSISTENT@289',
        'CHECKPOINT_ROOT_MISMATCH@289',
        'COLUMN_MISMATCH@289',
      ]);
    });

    test('kept checkpoints must be of this log and signed with a trusted key', async () => {
      const stranger = await signed(290, sha256('x'), await importSigningKey(randomBytes(32)));
      await expect(trail().after(nothing, { checkpoints: [stranger] })).rejects.toMatchObject({
        code: 'NOTE_UNVERIFIED',
      });
      await expect(trail().after(nothing, { checkpoints: [trail().notes[globex]!] })).rejects.toMatchObject({
        code: 'CHECKPOINT_MALFORMED',
      });
    });
  });
});
