import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Checkpoint,
  createVerifier,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
} from '@tallystick/log';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Signer } from '../../src/proofs/signer.ts';
import { SignerStore } from '../../src/proofs/signer-store.ts';

const logName = 'audit.test';
const origin = `${logName}/tenant/1`;
const checkpoint = (size: number, fill = size): Checkpoint => ({
  origin,
  size,
  root: new Uint8Array(32).fill(fill),
});
const extending = async () => {};
const rotation = { reason: 'yearly', by: 'operator', now: Date.parse('2026-01-02T03:04:05.678Z') };

let dir: TempDir;
/** The signers that are open. A test may close its own earlier. */
let opened: Set<{ close(): void }>;
beforeEach(() => {
  dir = tempDir();
  opened = new Set();
});
afterEach(() => {
  for (const one of opened) one.close();
  dir.remove();
});

async function open(name = logName): Promise<Signer> {
  const signer = await Signer.open(join(dir.path, 'signer'), name);
  opened.add(signer);
  return signer;
}

function close(one: { close(): void }): void {
  opened.delete(one);
  one.close();
}

function openStore(): SignerStore {
  const store = new SignerStore(join(dir.path, 'signer'));
  opened.add(store);
  return store;
}

describe('a signed checkpoint', () => {
  test('is a checkpoint that verifies with the published key, under the origin as its name', async () => {
    const signer = await open();
    const note = await signer.sign(checkpoint(3), extending);
    const verifier = parseVerifierKey(signer.verifierKeys(origin)[0]!.key);
    expect(verifier.name).toBe(origin);
    const { text } = await openNote(note!, [verifier]);
    expect(parseCheckpoint(text)).toEqual(checkpoint(3));
    // There is one signing key, but each tenant's verifier key is valid for that tenant only.
    const other = parseVerifierKey(signer.verifierKeys(`${logName}/other/1`)[0]!.key);
    await expect(openNote(note!, [other])).rejects.toMatchObject({ code: 'NOTE_UNVERIFIED' });
  });

  test('gives the same note again, to this process and to the next', async () => {
    const note = await (await open()).sign(checkpoint(3), extending);
    expect(await (await open()).sign(checkpoint(3), extending)).toBe(note);
  });

  test('is never joined by another of its size', async () => {
    const signer = await open();
    await signer.sign(checkpoint(3), extending);
    for (const one of [signer, await open()]) {
      await expect(one.sign(checkpoint(3, 9), extending)).rejects.toMatchObject({
        code: 'CHECKPOINT_INCONSISTENT',
      });
    }
  });

  test('is followed only by one that was proven to extend it', async () => {
    const signer = await open();
    await signer.sign(checkpoint(3), extending);
    const asked: unknown[] = [];
    const refuse = async (before: unknown) => {
      asked.push(before);
      throw new Error('no extension');
    };
    await expect(signer.sign(checkpoint(5), refuse)).rejects.toThrow('no extension');
    expect(asked).toMatchObject([{ origin, size: 3 }]);
    expect(signer.store.lastSigned(origin)).toMatchObject({ size: 3 });
    // A smaller checkpoint is never signed: the caller must read the store again.
    expect(await signer.sign(checkpoint(2), extending)).toBeUndefined();
    expect(signer.store.lastSigned(origin)).toMatchObject({ size: 3 });
  });

  test('was recorded before it was signed: a crash between the two signs the same checkpoint, and no other', async () => {
    close(await open());
    const store = openStore();
    expect(store.record(checkpoint(4), 0)).toBe(true);
    expect(store.lastSigned(origin)).toEqual({ ...checkpoint(4), note: undefined });
    const signer = await open();
    await expect(signer.sign(checkpoint(4, 9), extending)).rejects.toMatchObject({
      code: 'CHECKPOINT_INCONSISTENT',
    });
    const note = await signer.sign(checkpoint(4), extending);
    const [key] = signer.verifierKeys(origin);
    await openNote(note!, [parseVerifierKey(key!.key)]);
    expect(store.lastSigned(origin)?.note).toBe(note);
  });

  test('is recorded by compare and swap: who proved against an older one proves again', async () => {
    const [one, other] = [await open(), await open()];
    await one.sign(checkpoint(3), extending);
    const provenAgainst: number[] = [];
    const note = await other.sign(checkpoint(9), async (before) => {
      provenAgainst.push(before.size);
      // Between the proof and the record, the other replica signs.
      if (before.size === 3) await one.sign(checkpoint(6), extending);
    });
    expect(provenAgainst).toEqual([3, 6]);
    expect(note).toContain('\n9\n');
    const store = openStore();
    expect(store.record(checkpoint(12), 6)).toBe(false);
    expect(store.lastSigned(origin)).toMatchObject({ size: 9 });
  });
});

describe('keys', () => {
  test('are rotated; retired keys stay listed, and their checkpoints stay valid', async () => {
    const signer = await open();
    const before = await signer.sign(checkpoint(3), extending);
    const [first] = signer.verifierKeys(origin);
    await signer.rotations.rotate(rotation);
    const after = await signer.sign(checkpoint(5), extending);
    const keys = signer.verifierKeys(origin);
    expect(keys).toMatchObject([
      { key: expect.any(String) },
      { key: first!.key, retiredAt: expect.any(String) },
    ]);
    expect(keys[0]).not.toHaveProperty('retiredAt');
    const [current, retired] = keys.map(({ key }) => parseVerifierKey(key));
    await openNote(before!, [retired!]);
    await openNote(after!, [current!]);
    await expect(openNote(after!, [retired!])).rejects.toMatchObject({ code: 'NOTE_UNVERIFIED' });
    expect((await open()).verifierKeys(origin)).toEqual(keys);
  });

  // A replica once kept the key of its start, and continued to sign with a retired key. A rotation must end the use of a
  // leaked key.
  test('that one replica retires are not used by another any more', async () => {
    const [one, other] = [await open(), await open()];
    await other.sign(checkpoint(3), extending);
    await one.rotations.rotate(rotation);
    const note = await other.sign(checkpoint(5), extending);
    await openNote(note!, [parseVerifierKey(one.verifierKeys(origin)[0]!.key)]);
  });

  test('two processes that start at once on an empty directory agree on name and key', async () => {
    const [one, other] = [openStore(), openStore()];
    const seeds = [1, 2].map((fill) => new Uint8Array(32).fill(fill));
    // Both have looked, and found nothing.
    expect([one.logName(), other.logName(), one.currentSeed(), other.currentSeed()]).toEqual(
      new Array(4).fill(undefined),
    );
    one.setLogName(logName);
    other.setLogName(logName);
    one.addFirstKey(seeds[0]!, seeds[0]!, '2026-01-01T00:00:00.000Z');
    other.addFirstKey(seeds[1]!, seeds[1]!, '2026-01-01T00:00:00.000Z');
    expect(new Uint8Array(other.currentSeed()!)).toEqual(seeds[0]);
    const signers = await Promise.all([open(), open(), open()]);
    expect(new Set(signers.map((signer) => signer.verifierKeys(origin)[0]!.key)).size).toBe(1);
    createVerifier(origin, one.publicKeys()[0]!.publicKey);
  });
});

describe('the directory', () => {
  test('is closed to others, and so are key and heads', async () => {
    const signer = await open();
    await signer.sign(checkpoint(3), extending);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(join(dir.path, 'signer'))).toBe(0o700);
    expect(mode(join(dir.path, 'signer', 'signer.sqlite'))).toBe(0o600);
  });

  test('belongs to one log: another name is refused, and changes nothing', async () => {
    await open();
    await expect(Signer.open(join(dir.path, 'signer'), 'audit.other')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(openStore().logName()).toBe(logName);
  });

  test.each(['', 'Audit.Example', 'https://audit', 'a b', 'a+b', '/audit', 'audit/', 'a\n', 'x'.repeat(129)])(
    'is not made for a log named %j',
    async (name) => {
      await expect(Signer.open(join(dir.path, 'odd'), name)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      expect(() => statSync(join(dir.path, 'odd'))).toThrow('ENOENT');
    },
  );

  test('that can not be used is a fault of the configuration', async () => {
    const file = join(dir.path, 'signer');
    close(openStore());
    await expect(Signer.open(join(file, 'signer.sqlite'), logName)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
