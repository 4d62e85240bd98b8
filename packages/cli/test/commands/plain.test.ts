import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVerifier, formatVerifierKey } from '@tallystick/log';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunOptions, tally } from '../run-tally.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const run = (args: string, options: RunOptions = {}) =>
  tally(args.split(' ').filter(Boolean), { env: { XDG_CONFIG_HOME: dir.path }, cwd: dir.path, ...options });

describe('canonical', () => {
  test('writes RFC 8785 bytes and nothing else', async () => {
    const { stdout, exitCode } = await run('canonical', {
      stdin: '{"b":[1e2, "\\u00e9"], "10":1, "9":2, "a":null}\n',
    });
    expect(stdout).toBe('{"10":1,"9":2,"a":null,"b":[100,"é"]}');
    expect(exitCode).toBe(0);
  });

  test.each([
    ['{"a":1,"a":2}', 'JSON_DUPLICATE_KEY'],
    ['{', 'JSON_INVALID'],
    ['"\\ud800"', 'INPUT_INVALID'],
  ])('%s', async (stdin, code) => {
    const { stdout, stderr, exitCode } = await run('canonical', { stdin });
    expect(stdout).toBe('');
    expect(stderr).toContain(`(${code})`);
    expect(exitCode).toBe(1);
  });

  test('of bytes that are no UTF-8', async () => {
    const { stderr, exitCode } = await run('canonical', { stdin: Uint8Array.of(0x22, 0xff, 0x22) });
    expect(stderr).toBe('error: must be valid UTF-8 (UTF8_INVALID)\n');
    expect(exitCode).toBe(1);
  });

  test('--event checks that it is one', async () => {
    const { stderr, exitCode } = await run('canonical --event', { stdin: '{"tenant_id":"a b"}' });
    expect(stderr).toMatch(/^error: \/\w+ .*\((FIELD_REQUIRED|TENANT_ID_INVALID)\)\n$/);
    expect(exitCode).toBe(1);
  });
});

describe('hash', () => {
  // printf '{"a":1}' | sha256sum
  const hash = '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862';

  test('is that of the bytes, without a newline at their end', async () => {
    expect((await run('hash', { stdin: '{"a":1}' })).stdout).toBe(`${hash}\n`);
    expect((await run('hash', { stdin: '{"a":1}\n' })).stdout).toBe(`${hash}\n`);
    expect((await run('hash --raw', { stdin: '{"a":1}\n' })).stdout).not.toBe(`${hash}\n`);
  });

  test('--tree is the leaf hash; --json is both', async () => {
    const { stdout } = await run('hash --tree', { stdin: '{"a":1}' });
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await run('hash --json', { stdin: '{"a":1}' })).json()).toEqual([
      { record_hash: hash, leaf_hash: stdout.trim() },
    ]);
  });

  test('of JSON that is not canonical is refused', async () => {
    const { stderr, exitCode } = await run('hash', { stdin: '{"a": 1}' });
    expect(stderr).toContain('(RECORD_NOT_CANONICAL)');
    expect(exitCode).toBe(1);
  });
});

describe('config', () => {
  test('is set, got, listed and unset', async () => {
    const secret = 'tally_0123456789ab_secret';
    expect((await run(`config set key ${secret}`)).exitCode).toBe(0);
    expect((await run('config set tenant acme')).exitCode).toBe(0);
    expect((await run('config get key')).stdout).toBe(`${secret}\n`);
    expect((await run('config list')).stdout).toBe('SETTING  VALUE\nkey      …cret\ntenant   acme\n');
    await tally(['config', 'set', 'key', ''], { env: { XDG_CONFIG_HOME: dir.path } });
    expect((await run('config list --json')).json()).toEqual([{ tenant: 'acme' }]);
    expect((await run('config get key')).exitCode).toBe(1);
  });

  test('lies where the XDG specification says, for its owner only', async () => {
    await run('config set tenant acme');
    const path = (await run('config path')).stdout.trim();
    expect(path).toBe(join(dir.path, 'tallystick/config.json'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ tenant: 'acme' });
    const home = await run('config path', { env: { HOME: '/home/jane', XDG_CONFIG_HOME: 'relative' } });
    expect(home.stdout).toBe('/home/jane/.config/tallystick/config.json\n');
  });

  test.each([
    ['{', 'is not JSON'],
    ['[]', 'does not contain a JSON object'],
    ['{"tenant":1}', 'tenant is not a setting, or its value is not a string'],
    ['{"colour":"red"}', 'colour is not a setting'],
  ])('a damaged file: %s', async (content, message) => {
    mkdirSync(join(dir.path, 'tallystick'));
    writeFileSync(join(dir.path, 'tallystick/config.json'), content);
    const { stderr, exitCode } = await run('config list');
    expect(stderr).toContain(message);
    expect(exitCode).toBe(3);
  });

  test('an unknown setting', async () => {
    const { stderr, exitCode } = await run('config set colour red');
    expect(stderr).toContain(
      'error: there is no setting colour (CONFIG_KEY_UNKNOWN)\nhint: the settings are server',
    );
    expect(exitCode).toBe(3);
  });
});

describe('log-keys', () => {
  const key = (byte: number) =>
    formatVerifierKey(createVerifier('audit.example.com/acme/1', new Uint8Array(32).fill(byte)));

  test('are pinned, listed, replaced and forgotten', async () => {
    const now = Date.parse('2025-03-14T09:00:00Z');
    await run(`log-keys pin ${key(1)}`, { now });
    expect((await run('log-keys list --json')).json()).toEqual([
      [
        {
          origin: 'audit.example.com/acme/1',
          key: key(1),
          pinned_at: '2025-03-14T09:00:00.000Z',
          by: 'hand',
        },
      ],
    ]);
    expect((await run(`log-keys pin ${key(2)}`)).stderr).toContain('it replaces another key');
    expect((await run('log-keys list')).stdout).toContain('audit.example.com/acme/1');
    expect((await run('log-keys unpin audit.example.com/acme/1')).exitCode).toBe(0);
    expect((await run('log-keys unpin audit.example.com/acme/1')).exitCode).toBe(3);
    expect((await run('log-keys list')).stderr).toContain('no key is pinned');
  });

  test('a damaged file does not read as empty', async () => {
    mkdirSync(join(dir.path, 'tallystick'));
    writeFileSync(
      join(dir.path, 'tallystick/known-logs.json'),
      JSON.stringify({ 'audit.example.com/other/1': { key: key(1) } }),
    );
    const { stderr, exitCode } = await run('log-keys list');
    expect(stderr).toContain('(KNOWN_LOGS_INVALID)');
    expect(exitCode).toBe(3);
  });
});

describe('usage', () => {
  test.each([
    ['', 3, 'Usage: tally'],
    ['frobnicate', 3, "unknown command 'frobnicate' (USAGE)"],
    ['evnts', 3, "error: unknown command 'evnts' (USAGE)\nhint: did you mean events?\n"],
    ['hash --frobnicate', 3, "unknown option '--frobnicate' (USAGE)"],
    // A search such as '-success' was refused without a word about how to write it.
    [
      'search -success',
      3,
      "unknown option '-success' (USAGE)\nhint: --help lists the options; a search or a value that begins with - comes last, behind --",
    ],
    ['import', 3, "required option '--format <format>' not specified (USAGE)"],
    ['import --format xml', 3, 'Allowed choices are jsonl, cloudtrail, k8s-audit'],
    ['import --format k8s-audit', 3, 'needs --tenant (USAGE)'],
    ['import --format jsonl --retention-days x', 3, 'It must be a whole number'],
    ['import --format jsonl --dry-run missing', 4, 'no file matches missing (NO_INPUT)'],
    ['import --format jsonl', 3, '(NO_TARGET)'],
    ['hash missing', 4, "can't read missing: ENOENT (INPUT_UNREADABLE)"],
  ])('tally %s', async (args, exitCode, message) => {
    const ran = await run(args);
    expect(ran.stderr).toContain(message);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stdout).toBe('');
  });

  test('help and version go to stdout with exit code 0', async () => {
    const help = await run('help import');
    expect(help.stdout).toContain('Usage: tally import');
    expect(help.stdout).toContain('--server <url>');
    expect(help.exitCode).toBe(0);
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run('--help')).stdout).toContain('Exit codes: 0');
  });

  test('the help of every command has a description and an example', async () => {
    const helpOf = async (words: readonly string[]) => (await tally([...words, '--help'])).stdout;
    const commandsIn = (help: string) =>
      [...help.matchAll(/^ {2}([a-z][a-z-]*) .*/gm)]
        .map(([, name]) => name!)
        .filter((name) => name !== 'help');
    let checked = 0;
    const check = async (words: readonly string[]) => {
      const help = await helpOf(words);
      const children = help.includes('[command]') ? commandsIn(help.split('Examples:')[0]!) : [];
      for (const child of children) await check([...words, child]);
      if (children.length > 0) return;
      expect(help, words.join(' ')).toMatch(/\nExamples?:\n {2}.*tally /);
      expect(help.split('\n')[2], words.join(' ')).toMatch(/^[A-Z]/);
      checked++;
    };
    await check([]);
    expect(checked).toBeGreaterThan(30);
  });

  test('options stand before or after the command', async () => {
    const before = await tally(['--json', 'hash'], { stdin: '1' });
    const after = await tally(['hash', '--json'], { stdin: '1' });
    expect(after.stdout).toBe(before.stdout);
    expect(after.json()).toHaveLength(1);
  });

  test('colour on a terminal, none in a pipe', async () => {
    const colored = await run('frobnicate', { tty: true });
    expect(colored.stderr).toContain('\x1b[');
    expect((await run('frobnicate')).stderr).not.toContain('\x1b[');
  });
});
