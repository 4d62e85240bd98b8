import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { ArtifactDirectory, hashOf } from '../../src/platform/artifacts.ts';

const artifact = {
  tenantId: 'acme',
  auditId: 'a-1',
  type: 'user_content' as const,
  text: 'What is this?',
  at: Date.parse('2026-11-20T23:59:59.999Z'),
};

test('an artifact is a file below its tenant and day, and is never changed', async () => {
  using temporary = tempDir('soc-artifacts-');
  const directory = temporary.path;
  const store = new ArtifactDirectory(directory);
  await store.put(artifact);
  const path = join(directory, 'acme', '2026', '11', '20', 'a-1', 'user_content');
  expect(readFileSync(path, 'utf8')).toBe('What is this?');
  await expect(store.put({ ...artifact, text: 'changed' })).rejects.toThrow('EEXIST');
  expect(readFileSync(path, 'utf8')).toBe('What is this?');
});

test('the hash is SHA-256 of the text in UTF-8', () => {
  expect(hashOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
