import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVerifier, formatVerifierKey } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plain } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, seal } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { tally } from '../run-tally.ts';

/** A value that a command ignores would let its user believe that it was used. Each of these once was ignored. */
const dir = tempDir();
const env = { XDG_CONFIG_HOME: join(dir.path, 'config') };
const apiKey = 'tally_0123456789ab_secret';
const run = (...args: string[]) => tally(args, { cwd: dir.path, env });

beforeAll(async () => {
  writeFileSync(join(dir.path, 'acme.tally'), seal(linesOf(plain)));
  expect((await run('log-keys', 'pin', trusted)).exitCode).toBe(0);
  expect((await run('verify', 'acme.tally')).exitCode).toBe(0);
});
afterAll(() => dir.remove());

describe('a key that is not a key is wrong usage, although another one is pinned', () => {
  const other = formatVerifierKey(createVerifier('audit.example.com/acme/1', new Uint8Array(32)));
  test.each([
    ['a word', 'nonsense', 'KEY_MALFORMED'],
    ['a wrong id', trusted.replace(/\+[0-9a-f]{8}\+/, '+00000000+'), 'KEY_MALFORMED'],
    ['a key cut short', trusted.slice(0, -3), 'KEY_MALFORMED'],
    ['an origin alone', 'audit.example.com/acme/1', 'KEY_MALFORMED'],
    ['an API key', apiKey, 'KEY_MALFORMED'],
    ['nothing', '', 'USAGE'],
  ])('%s', async (_, key, code) => {
    for (const more of [[], ['--key', other]]) {
      const { exitCode, stdout, stderr } = await run('verify', 'acme.tally', '--key', key, ...more);
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
      expect(stderr).toContain(`(${code})`);
    }
  });

  test('an API key for a directory', async () => {
    const { exitCode, stderr } = await run('verify', '--data', '.', '--key', apiKey);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('not the verifier key of a log');
  });
});

/** A service that does not answer. */
const server = ['--server', 'http://127.0.0.1:1'];

// `--key nonsense` was sent to the service as an API key, and a verifier key was dropped by the commands that verify nothing.
describe('--key takes what the command can use, and nothing else', () => {
  test.each([
    ['a word', ['verify', '--tenant', 'acme', ...server, '--key', 'nonsense'], 'begins with tally_'],
    ['a word, for a directory', ['verify', '--data', '.', '--key', 'nonsense'], 'begins with tally_'],
    [
      'a word beside a good key',
      ['verify', ...server, '--key', trusted, '--key', 'nonsense'],
      'begins with tally_',
    ],
    ['a word, of another command', ['events', ...server, '--key', 'nonsense'], 'begins with tally_'],
    ['a token', ['events', ...server, '--key', 'e30.e30.c2ln'], 'belongs in --token'],
    [
      'a verifier key, of a command that verifies nothing',
      ['producers', ...server, '--key', trusted],
      'verifies nothing',
    ],
    [
      'a verifier key, of a list that is not verified',
      ['events', ...server, '--key', trusted],
      'only with --verify',
    ],
    ['a verifier key, of a subcommand', ['dlq', 'list', ...server, '--key', trusted], 'verifies nothing'],
    ['a verifier key as a setting', ['config', 'set', 'key', trusted], 'log-keys pin'],
    ['a word as a setting', ['config', 'set', 'key', 'nonsense'], 'begins with tally_'],
  ])('%s is wrong usage', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('nonsense');
  });

  test('an API key goes to the service, which is asked', async () => {
    const { exitCode, stderr } = await run('verify', '--tenant', 'acme', ...server, '--key', apiKey);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('127.0.0.1:1');
  });
});

// Each was refused as an option that is given twice.
test.each(['--actor', '--outcome', '--not', '--metadata'])(
  'the filter %s may be given twice',
  async (option) => {
    const value =
      { '--outcome': 'failure', '--not': 'actor=ann', '--metadata': 'platform=web' }[option] ?? 'ann';
    const args = ['events', '--tenant', 'acme', ...server, '--key', apiKey, option, value, option, value];
    const { exitCode, stderr } = await run(...args);
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('127.0.0.1:1')]);
  },
);

describe('no argument is dropped in silence', () => {
  test.each([
    ['a repeated end of a range', ['events', '--from', '7d', '--from', '9d'], '--from is given twice'],
    ['a repeated global option', ['--tenant', 'a', 'events', '--tenant', 'b'], '--tenant is given twice'],
    ['an empty filter', ['events', '--type', ''], 'the value of --type is empty'],
    ['an empty tenant', ['verify', '--tenant='], 'the value of --tenant is empty'],
    ['an unknown value', ['events', '--severity', 'loud'], 'loud'],
    ['two API keys', ['events', '--key', apiKey, '--key', `${apiKey}1`], 'two API keys'],
    [
      'a service beside a file',
      ['verify', 'acme.tally', '--server', 'http://localhost:1'],
      '--server and a file',
    ],
    ['a store beside a file', ['verify', 'acme.tally', '--data', '.'], '--data and a file'],
    [
      'the tenant of another bundle',
      ['verify', 'acme.tally', '--tenant', 'globex'],
      'acme.tally is of acme, not of globex',
    ],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('a mistyped --data path is an error, and nothing is created', async () => {
  mkdirSync(join(dir.path, 'empty'));
  const commands = [
    ['events', '--tenant', 'a'],
    ['verify'],
    ['tenants'],
    ['tail', '--tenant', 'a'],
    ['export', '--tenant', 'a'],
    ['checkpoint', '--tenant', 'a'],
    ['receipt', '1', '--tenant', 'a'],
    ['log-keys', 'trust', '--tenant', 'a'],
    ['recover', '--log-name', 'a.example', '--tenant', 'a'],
  ];
  for (const path of ['mistyped', 'empty', 'acme.tally']) {
    for (const command of commands) {
      const { exitCode, stdout, stderr } = await run(...command, '--data', path);
      expect({ command, exitCode, stdout }).toEqual({ command, exitCode: 3, stdout: '' });
      expect(stderr).toContain('there is no store in');
    }
  }
  expect(existsSync(join(dir.path, 'mistyped'))).toBe(false);
  expect(readdirSync(join(dir.path, 'empty'))).toEqual([]);
});
