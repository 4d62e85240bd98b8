import { Readable, Writable } from 'node:stream';
import { createVerifier, formatCheckpoint, importSigningKey, sha256, signNote } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { VerifyGrounds } from '../../src/commands/verify-grounds.ts';
import { createContext } from '../../src/context.ts';
import { withCheckpoint, writeKnownLogs } from '../../src/settings/known-logs.ts';

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

/** Grounds for a live log, where a checkpoint of another epoch, or under another key, was kept before. */
async function judge(epoch: number, kept: { epoch: number; signer?: typeof key }) {
  const origin = originOf(kept.epoch);
  const text = formatCheckpoint({ origin, size: 5, root: sha256('root') });
  const note = await signNote(text, [{ name: origin, key: kept.signer ?? key }]);
  writeKnownLogs(env, withCheckpoint(new Map(), note, since));
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
    {},
  );
  const place = { origin: originOf(epoch), offered: offer(epoch), isLive: true, from: 'https://x' };
  return { note, grounds: await new VerifyGrounds(context, []).judge(place) };
}

test('a live log is held against what was kept of it', async () => {
  const { grounds, note } = await judge(1, { epoch: 1 });
  expect(grounds.checkpoints).toEqual([note]);
});

test('a new epoch is told: what was verified before is not part of it', async () => {
  const { grounds } = await judge(2, { epoch: 1 });
  expect(grounds.checkpoints).toEqual([]);
  expect(told).toContain(
    `${originOf(2)} is a new epoch: the 5 records of ${originOf(1)} verified on 2026-03-01 are not part of it`,
  );
});

test('an earlier epoch than was seen is a log that was set back', async () => {
  await expect(judge(1, { epoch: 2 })).rejects.toMatchObject({ code: 'BROKEN' });
});

test('a checkpoint under a key that is no longer the trusted one is not relied upon, and that is told', async () => {
  const { grounds } = await judge(1, { epoch: 1, signer: await importSigningKey(sha256('before')) });
  expect(grounds.checkpoints).toEqual([]);
  expect(told).toContain('the checkpoint of 5 records kept since 2026-03-01 was signed with another key');
});
