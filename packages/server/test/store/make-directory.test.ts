import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { SignerDatabase } from '../../src/proofs/signer-database.ts';
import { DirectoryLock } from '../../src/store/directory-lock.ts';
import { makeDirectory } from '../../src/store/make-directory.ts';

const dir = tempDir();
afterAll(() => dir.remove());

test('a directory and those above it are made for this user only; one that exists is left as it is', () => {
  const path = join(dir.path, 'a/b/c');
  makeDirectory(path);
  makeDirectory(path);
  makeDirectory('/');
  expect(statSync(join(dir.path, 'a/b')).mode & 0o777).toBe(0o700);
});

test('a file in its place is an error', () => {
  writeFileSync(join(dir.path, 'file'), '');
  expect(() => makeDirectory(join(dir.path, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectory(join(dir.path, 'file/below'))).toThrow('ENOTDIR');
});

// Node's own recursive mkdir never returned there.
test('a path where no directory can be made is refused by everything that makes one', {
  skip: process.platform !== 'linux',
}, () => {
  expect(() => makeDirectory('/proc/tallystick/data')).toThrow('ENOENT');
  const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
  expect(() => new DirectoryLock('/proc/tallystick/data')).toThrow(invalid);
  expect(() => new SignerDatabase('/proc/tallystick/signer', '')).toThrow(invalid);
});
