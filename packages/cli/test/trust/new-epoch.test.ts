import {
  createGenesisRecord,
  createVerifier,
  formatCheckpoint,
  importSigningKey,
  readRecord,
  sha256,
  signNote,
  toBase64,
} from '@tallystick/log';
import { expect, test } from 'vitest';
import type { KnownLog } from '../../src/trust/known-logs.ts';
import { linkOf } from '../../src/trust/new-epoch.ts';

const origin = 'audit.example.com/acme/1';
const key = await importSigningKey(sha256('log key'));
const keys = [createVerifier('audit.example.com/acme/2', key.publicKey)];
const rootOf = (size: number) => sha256(`root ${size}`);

/** A checkpoint of the first epoch. */
const note = (size: number, { of = origin, root = rootOf(size), signer = key } = {}) =>
  signNote(formatCheckpoint({ origin: of, size, root }), [{ name: of, key: signer }]);

/** The link of a second epoch whose first record names this checkpoint, where five records were verified before. */
async function link(checkpoint: string | undefined) {
  const { text } = createGenesisRecord({
    tenantId: 'acme',
    origin: 'audit.example.com/acme/2',
    epoch: 2,
    ingestedAt: '2026-03-01T00:00:00.000Z',
    nonce: '0'.repeat(32),
    ...(checkpoint !== undefined && { recovery: { checkpoint, reason: 'restored' } }),
  });
  const kept = {
    size: 5,
    root: toBase64(rootOf(5)),
    note: await note(5),
    keptAt: '2026-02-01T00:00:00.000Z',
  };
  const earlier: KnownLog = { origin, checkpoint: kept };
  return await linkOf(readRecord(text), earlier, keys);
}

test('names the checkpoint that was kept, or a later one of the same epoch', async () => {
  expect(await link(await note(5))).toEqual({ kind: 'names', size: 5 });
  expect(await link(await note(9))).toEqual({ kind: 'names', size: 9 });
});

test('contradicts it with fewer records, or with another root', async () => {
  expect(await link(await note(4))).toMatchObject({ kind: 'contradicts', size: 4 });
  expect(await link(await note(5, { root: sha256('fork') }))).toMatchObject({ kind: 'contradicts', size: 5 });
});

test.each([
  ['names nothing', undefined],
  ['names what is no checkpoint', 'x'],
  ['names a checkpoint of another tenant', await note(5, { of: 'audit.example.com/other/1' })],
  [
    'names a checkpoint that no trusted key signed',
    await note(5, { signer: await importSigningKey(sha256('other')) }),
  ],
])('is unrelated if its first record %s', async (_, checkpoint) => {
  expect(await link(checkpoint)).toEqual({ kind: 'unrelated' });
});
