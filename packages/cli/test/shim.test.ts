import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';

const bin = resolve(import.meta.dirname, '../bin/tally.js');

test('the command runs from sources, and writes nothing to stderr', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'hash'], {
    input: '{"a":1}',
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
});

test('its reader may stop early', () => {
  const command = `'${process.execPath}' '${bin}' help | head -c 10`;
  const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'Usage: tal', stderr: '' });
});

describe('on another Node', () => {
  /** Runs the shim where `process.versions.node` is what we say. */
  function onNode(version: string, ...words: string[]) {
    const written: string[] = [];
    const loaded: string[] = [];
    const process_ = {
      argv: ['node', 'tally', ...words],
      versions: { node: version },
      stderr: { write: (text: string) => written.push(text) },
      exitCode: 0,
    };
    const source = readFileSync(bin, 'utf8').replace(/^#!.*/, '');
    runInNewContext(source, { process: process_, require: (name: string) => loaded.push(name) });
    return { stderr: written.join(''), exitCode: process_.exitCode, loaded };
  }

  test.each(['0.10.48', '8.17.0', '20.20.2', '22.21.9'])(
    '%s: the message names the version that is needed',
    (version) => {
      const { stderr, exitCode, loaded } = onNode(version);
      expect(stderr).toContain(`needs Node.js 22.22 or newer, this is ${version} (NODE_TOO_OLD)`);
      // It named a package that is not on npm, so that the advice ended with E404.
      expect(stderr).toContain('npx -p node@24 tally …');
      expect(exitCode).toBe(3);
      expect(loaded).toEqual([]);
    },
  );

  test('a hook denies, because its agent takes every other failure for permission', () => {
    expect(onNode('20.20.2', 'hook').exitCode).toBe(2);
  });

  test.each(['22.22.0', '24.0.0', '100.1.0'])('%s goes on', (version) => {
    expect(onNode(version)).toEqual({ stderr: '', exitCode: 0, loaded: ['./start.js'] });
  });

  test('the shim is written for the oldest', () => {
    const source = readFileSync(bin, 'utf8').replaceAll(/^\s*(\/\/|#!).*$/gm, '');
    expect(source).not.toMatch(/=>|\bconst\b|\blet\b|`|\bimport\b|\?\.|\?\?/);
  });
});
