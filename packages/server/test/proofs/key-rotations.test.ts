import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Checkpoint,
  createVerifier,
  openNote,
  openRotation,
  parseVerifierKey,
  readRotation,
  verifyLastUnderKey,
} from '@tallystick/log';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Signer } from '../../src/proofs/signer.ts';

const logName = 'audit.test';
const originOf = (tenant: number) => `${logName}/tenant-${tenant}/1`;
const checkpoint = (tenant: number, size: number): Checkpoint => ({
  origin: originOf(tenant),
  size,
  root: new Uint8Array(32).fill(size),
});
const extending = async () => {};
const request = { reason: 'yearly', by: 'operator', now: Date.parse('2026-01-02T03:04:05.678Z') };

let dir: TempDir;
const opened = new Set<Signer>();
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => {
  for (const one of opened) one.close();
  opened.clear();
  dir.remove();
});
const open = async () => {
  const signer = await Signer.open(join(dir.path, 'signer'), logName);
  opened.add(signer);
  return signer;
};
const keyOf = (signer: Signer, tenant: number, at = 0) =>
  parseVerifierKey(signer.verifierKeys(originOf(tenant))[at]!.key);

test.each([0, 1, 2, 3, 5, 8, 13])(
  'a rotation names the last checkpoint of each of %d logs, and both keys sign it',
  async (logs) => {
    const signer = await open();
    for (let tenant = 0; tenant < logs; tenant++)
      await signer.sign(checkpoint(tenant, tenant + 1), extending);
    const old = signer.store.publicKeys()[0]!.publicKey;
    const { rotatedAt, statement } = await signer.rotations.rotate(request);
    expect(rotatedAt).toBe('2026-01-02T03:04:05.678Z');
    for (let tenant = 0; tenant < logs; tenant++) {
      const [evidence] = await signer.rotations.evidenceFor(originOf(tenant));
      const rotation = readRotation(evidence!);
      await openRotation(rotation);
      expect(rotation).toMatchObject({ statement, logs });
      expect(rotation.oldKey).toEqual(createVerifier(logName, new Uint8Array(old)));
      expect(rotation.newKey.publicKey).toEqual(keyOf(signer, tenant).publicKey);
      expect(verifyLastUnderKey(rotation, originOf(tenant))).toEqual(checkpoint(tenant, tenant + 1));
      expect(() => verifyLastUnderKey(rotation, originOf(tenant + 1))).toThrow();
    }
    const [ofOther] = await signer.rotations.evidenceFor(originOf(99));
    expect(verifyLastUnderKey(readRotation(ofOther!), originOf(99))).toBeUndefined();
  },
);

test('a replica that runs uses the new key for its next signature, and signs what was signed before once more', async () => {
  const [one, other] = [await open(), await open()];
  const before = await other.sign(checkpoint(1, 3), extending);
  await one.rotations.rotate(request);
  const again = await other.sign(checkpoint(1, 3), extending);
  // Whoever has only one of the keys can verify it.
  for (const key of [keyOf(other, 1, 0), keyOf(other, 1, 1)]) await openNote(again!, [key]);
  expect(again).toContain(before!.trimEnd());
  expect(await one.sign(checkpoint(1, 3), extending)).toBe(again);
  const after = await other.sign(checkpoint(1, 5), extending);
  await openNote(after!, [keyOf(one, 1)]);
  await expect(openNote(after!, [keyOf(one, 1, 1)])).rejects.toMatchObject({ code: 'NOTE_UNVERIFIED' });
});

test('rotations form a chain: each endorses the key after it', async () => {
  const signer = await open();
  await signer.sign(checkpoint(1, 3), extending);
  await signer.rotations.rotate(request);
  await signer.sign(checkpoint(1, 7), extending);
  await signer.rotations.rotate(request);
  const [first, second] = (await signer.rotations.evidenceFor(originOf(1))).map(readRotation);
  expect(first!.newKey).toEqual(second!.oldKey);
  expect([first!.last!.size, second!.last!.size]).toEqual([3, 7]);
});

test('the seed of a key that was rotated out is erased, and the new key is that of the next start', async () => {
  const signer = await open();
  const seed = Buffer.from(signer.store.currentSeed()!);
  await signer.rotations.rotate(request);
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(join(dir.path, 'signer', 'signer.sqlite')).includes(seed)).toBe(false);
  const key = signer.verifierKeys(originOf(1))[0];
  signer.close();
  opened.delete(signer);
  expect((await open()).verifierKeys(originOf(1))[0]).toEqual(key);
});

// The statement, the switch and the list of checkpoints are one transaction: the files of a process that was killed during it have
// a journal, and the next process rolls it back.
test('a crash during a rotation leaves the old key, and the next rotation works', async () => {
  const signer = await open();
  await signer.sign(checkpoint(1, 3), extending);
  const keys = signer.verifierKeys(originOf(1));
  const copy = join(dir.path, 'copy');
  expect(() =>
    signer.store.rotateKey((_, heads) => {
      expect(heads).toHaveLength(1);
      cpSync(join(dir.path, 'signer'), copy, { recursive: true });
      throw new Error('killed');
    }),
  ).toThrow('killed');
  signer.close();
  opened.delete(signer);
  rmSync(join(dir.path, 'signer'), { recursive: true });
  cpSync(copy, join(dir.path, 'signer'), { recursive: true });
  const next = await open();
  expect(next.verifierKeys(originOf(1))).toEqual(keys);
  expect(next.store.rotations()).toEqual([]);
  await next.rotations.rotate(request);
  expect(next.verifierKeys(originOf(1))).toHaveLength(2);
});
