import { Readable, Writable } from 'node:stream';
import {
  createGenesisRecord,
  createVerifier,
  formatCheckpoint,
  formatVerifierKey,
  importSigningKey,
  readRecord,
  sha256,
  signNote,
} from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { readKnownLogs, withCheckpoint, writeKnownLogs } from '../../src/trust/known-logs.ts';
import { writeKnownPlaces } from '../../src/trust/known-places.ts';
import { servicePlace } from '../../src/trust/place.ts';
import { TrustResolver } from '../../src/trust/trust-context.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const env = { XDG_CONFIG_HOME: dir.path };
const key = await importSigningKey(sha256('log key'));
const since = '2026-03-01T00:00:00.000Z';
const originOf = (epoch: number) => `audit.example.com/acme/${epoch}`;
const offer = (epoch: number) => createVerifier(originOf(epoch), key.publicKey);

let told = '';
beforeEach(() => {
  told = '';
});

interface Kept {
  readonly epoch: number;
  readonly signer?: typeof key;
}

/** A log of this epoch, after a checkpoint of another epoch, or with another key, was kept. */
async function resolve(epoch: number, kept: Kept, isLive = true) {
  const origin = originOf(kept.epoch);
  const note = await signed(origin, 5, kept.signer);
  writeKnownLogs(env, withCheckpoint(new Map(), note, since));
  writeKnownPlaces(env, new Map());
  const stream = new Writable({
    write(chunk, _, done) {
      told += String(chunk);
      done();
    },
  });
  const context = createContext(
    {
      stdin: Readable.from([]),
      stdout: stream,
      stderr: stream,
      env,
      cwd: dir.path,
      now: () => 0,
      stopped: new AbortController().signal,
    },
    // A key in a file is never trusted, so the user gives it.
    isLive ? {} : { key: [formatVerifierKey(offer(epoch))] },
    { takesLogKeys: true },
  );
  const place = isLive ? servicePlace(new URL('https://x')) : undefined;
  const log = { origin: originOf(epoch), offered: offer(epoch), rotations: [], place, from: 'https://x' };
  const resolver = new TrustResolver(context, []);
  return { note, resolver, trust: await resolver.resolve(log) };
}

const signed = (origin: string, size: number, signer = key, root = sha256('root')) =>
  signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key: signer }]);

/** A verified second epoch whose first record names this checkpoint. */
async function confirm(checkpoint: string | undefined, isLive = true) {
  const { resolver } = await resolve(2, { epoch: 1 }, isLive);
  const { text } = createGenesisRecord({
    tenantId: 'acme',
    origin: originOf(2),
    epoch: 2,
    ingestedAt: since,
    nonce: '0'.repeat(32),
    ...(checkpoint !== undefined && { recovery: { checkpoint, reason: 'restored' } }),
  });
  resolver.noteRecord(readRecord(text));
  const note = await signed(originOf(2), 3);
  resolver.keepCheckpoint(note);
  const isKept = () => readKnownLogs(env).get(originOf(2))?.checkpoint !== undefined;
  // Before the epoch is confirmed, nothing of it is remembered.
  expect(isKept()).toBe(false);
  await resolver.confirmEpoch({ verdict: 'recovered' });
  return { isKept: isKept() };
}

test('a live log is compared with the checkpoint that was kept', async () => {
  const { trust, note } = await resolve(1, { epoch: 1 });
  expect(trust.kept).toEqual([note]);
});

const isNew = `${originOf(2)} is a new epoch: it does not include the 5 records of ${originOf(1)} verified on 2026-03-01`;

test('a new epoch whose first record names the kept checkpoint is a notice', async () => {
  expect(await confirm(await signed(originOf(1), 5))).toEqual({ isKept: true });
  expect(told).toContain(`${isNew}. Its first record names this checkpoint`);
});

test('one whose first record names a later checkpoint, too', async () => {
  expect(await confirm(await signed(originOf(1), 9))).toEqual({ isKept: true });
  expect(told).toContain('names a checkpoint of 9 records, with which the kept one was not compared');
});

test('every other new epoch of a live log is an alarm', async () => {
  const alarm = { code: 'LOG_EPOCH_CHANGED' };
  await expect(confirm(undefined)).rejects.toMatchObject(alarm);
  await expect(confirm(await signed(originOf(1), 4))).rejects.toMatchObject(alarm);
  expect(told).not.toContain('equivocation');
  await expect(confirm(await signed(originOf(1), 5, key, sha256('fork')))).rejects.toMatchObject(alarm);
  expect(told).toContain('equivocation');
  expect(readKnownLogs(env).get(originOf(2))?.checkpoint).toBeUndefined();
});

test('a file of a new epoch alarms if it contradicts what was kept', async () => {
  expect(await confirm(undefined, false)).toEqual({ isKept: false });
  expect(told).toContain(isNew);
  await expect(confirm(await signed(originOf(1), 4), false)).rejects.toMatchObject({
    code: 'LOG_EPOCH_CHANGED',
  });
});

test('a log in an earlier epoch than the last one seen was rolled back', async () => {
  await expect(resolve(1, { epoch: 2 })).rejects.toMatchObject({ code: 'BROKEN' });
});

test('a checkpoint that was signed with another key than the trusted one is compared all the same', async () => {
  const { trust, note } = await resolve(1, { epoch: 1, signer: await importSigningKey(sha256('before')) });
  expect(trust.kept).toEqual([note]);
});
