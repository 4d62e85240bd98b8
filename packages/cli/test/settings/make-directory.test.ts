import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../src/settings/make-directory.ts';
import { tally } from '../run-tally.ts';

test('a directory and those above it are made for this user only', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tally-'));
  makeDirectory(join(dir, 'a/b'));
  makeDirectory(join(dir, 'a/b'));
  expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o700);
  rmSync(dir, { recursive: true });
});

// Node's own recursive mkdir never returned there, so the command hung.
test('a data directory that can not be made is an error that names it', {
  skip: process.platform !== 'linux',
}, async () => {
  expect(() => makeDirectory('/proc/tallystick/config')).toThrow('ENOENT');
  const started = await tally(['dev', '--data', '/proc/tallystick/data', '--port', '0']);
  expect([started.exitCode, started.stderr]).toEqual([
    3,
    expect.stringContaining("the data directory /proc/tallystick/data can't be made (ENOENT)"),
  ]);
});
