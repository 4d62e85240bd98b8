import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatCheckpoint, importSigningKey, sha256, signNote } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type KnownLogs,
  knownLogsPath,
  otherEpochs,
  readKnownLogs,
  withCheckpoint,
  writeKnownLogs,
} from '../../src/trust/known-logs.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const env = { XDG_CONFIG_HOME: dir.path };

const origin = 'audit.example.com/acme/1';
const key = await importSigningKey(sha256('log key'));
const note = (size: number, of = origin) =>
  signNote(formatCheckpoint({ origin: of, size, root: sha256(`${size}`) }), [{ name: of, key }]);
const none: KnownLogs = new Map();
const [march, april] = ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'];

describe('a kept checkpoint', () => {
  test('is replaced by one of more records alone', async () => {
    const known = withCheckpoint(none, await note(5), march);
    expect(known.get(origin)?.checkpoint).toMatchObject({ size: 5, keptAt: march });
    for (const size of [4, 5]) expect(withCheckpoint(known, await note(size), april)).toBe(known);
    const grown = withCheckpoint(known, await note(6), april);
    expect(grown.get(origin)?.checkpoint).toMatchObject({ size: 6, keptAt: april });
  });

  test('survives in the file', async () => {
    const known = withCheckpoint(none, await note(5), march);
    writeKnownLogs(env, known);
    expect(readKnownLogs(env)).toEqual(known);
  });

  test('of another epoch stands beside it, the latest first', async () => {
    let known = none;
    for (const epoch of [1, 3, 2])
      known = withCheckpoint(known, await note(5, `audit.example.com/acme/${epoch}`), march);
    known = withCheckpoint(known, await note(5, 'audit.example.com/other/9'), march);
    expect(otherEpochs(known, origin).map(({ epoch }) => epoch)).toEqual([3, 2]);
  });
});

test('an entry that is damaged is not read as nothing known', async () => {
  const [checkpoint] = [...withCheckpoint(none, await note(5), march).values()].map(
    (entry) => entry.checkpoint!,
  );
  const path = knownLogsPath(env);
  mkdirSync(dirname(path), { recursive: true });
  for (const entry of [
    null,
    {},
    { pin: { key: 'x' } },
    { checkpoint: { ...checkpoint, size: 4 } },
    { checkpoint: { ...checkpoint, note: 'x' } },
    { checkpoint: { ...checkpoint, note: await note(5, 'audit.example.com/acme/2') } },
    { checkpoint: { ...checkpoint, keptAt: undefined } },
  ]) {
    writeFileSync(path, JSON.stringify({ [origin]: entry }));
    expect(() => readKnownLogs(env)).toThrow(`the entry ${origin} has no key or checkpoint`);
  }
});
