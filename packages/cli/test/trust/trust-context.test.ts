import { Readable, Writable } from 'node:stream';
import { createVerifier, formatCheckpoint, importSigningKey, sha256, signNote } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { withCheckpoint, writeKnownLogs } from '../../src/trust/known-logs.ts';
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

/** What is trusted for a live log after a checkpoint of another epoch, or with another key, was kept. */
async function resolve(epoch: number, kept: { epoch: number; signer?: typeof key }) {
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
  const log = { origin: originOf(epoch), offered: offer(epoch), isLive: true, from: 'https://x' };
  return { note, trust: await new TrustResolver(context, []).resolve(log) };
}

test('a live log is compared with the checkpoint that was kept', async () => {
  const { trust, note } = await resolve(1, { epoch: 1 });
  expect(trust.kept).toEqual([note]);
});

test('a new epoch is reported: it does not include what was verified before', async () => {
  const { trust } = await resolve(2, { epoch: 1 });
  expect(trust.kept).toEqual([]);
  expect(told).toContain(
    `${originOf(2)} is a new epoch: it does not include the 5 records of ${originOf(1)} verified on 2026-03-01`,
  );
});

test('a log in an earlier epoch than the last one seen was rolled back', async () => {
  await expect(resolve(1, { epoch: 2 })).rejects.toMatchObject({ code: 'BROKEN' });
});

test('a checkpoint that was signed with another key than the trusted one is compared all the same', async () => {
  const { trust, note } = await resolve(1, { epoch: 1, signer: await importSigningKey(sha256('before')) });
  expect(trust.kept).toEqual([note]);
});
