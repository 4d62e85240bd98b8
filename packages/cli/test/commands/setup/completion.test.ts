import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { describe, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

/** What bash would offer after these words; the last one is being typed. */
async function bashOffers(...words: string[]): Promise<string[]> {
  using dir = tempDir();
  const script = join(dir.path, 'tally.bash');
  writeFileSync(script, (await tally(['completion', 'bash'])).stdout);
  const typed = ['tally', ...words].map((word) => `'${word}'`).join(' ');
  // compopt works in a completion that bash itself started only.
  const program = `compopt() { :; }; source '${script}'; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _tally; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe.skipIf(spawnSync('bash', ['--version']).status !== 0)('bash offers', () => {
  test('commands, also after options with values', async () => {
    expect(await bashOffers('im')).toEqual(['import']);
    expect(await bashOffers('--data', 'export', 'im')).toEqual(['import']);
    expect(await bashOffers('--server', 'import', 'ca')).toEqual(['canonical']);
  });

  test('commands of commands, options, and their values', async () => {
    expect(await bashOffers('config', '')).toEqual(['list', 'get', 'set', 'path']);
    expect(await bashOffers('import', '--fo')).toEqual(['--format']);
    expect(await bashOffers('import', '--format', 'k')).toEqual(['k8s-audit']);
    expect(await bashOffers('export', '--format', '')).toEqual(['bundle', 'csv', 'jsonl']);
    expect(await bashOffers('completion', 'z')).toEqual(['zsh']);
    expect(await bashOffers('hash', '--ser')).toEqual(['--server']);
  });
});

test.each(['bash', 'zsh', 'fish'])('the script for %s is a script of its shell', async (shell) => {
  const { stdout, exitCode } = await tally(['completion', shell]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('tallystick');
  expect(stdout).toContain('log-keys');
  expect(stdout).toContain('k8s-audit');
  const check = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
  if (check.error === undefined) expect(check.stderr).toBe('');
});

test('another shell is a usage error', async () => {
  const { stderr, exitCode } = await tally(['completion', 'tcsh']);
  expect(stderr).toContain('Allowed choices are bash, zsh, fish');
  expect(exitCode).toBe(3);
});
