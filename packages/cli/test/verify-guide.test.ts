import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKnownLogs } from '../src/trust/known-logs.ts';
import { openService, type Service } from './commands/service.ts';
import { tally } from './run-tally.ts';

/** Follows docs/verify.md as a reader who has a bundle, a verifier key and access to a service. */
const root = resolve(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'docs/verify.md'), 'utf8');
const blocks = Array.from(text.matchAll(/^```sh\n(.*?)^```$/gms), ([, block]) => block!);

const dir = tempDir();
const auditId = '01903f5b-7f00-7abc-8def-0123456789ab';
const origin = 'tally.local/acme/1';
let service: Service;
let key: string;

/** The operator's side, with a configuration of its own. */
const operator = (args: string[], stdin = '') =>
  tally(args, {
    stdin,
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: join(dir.path, 'operator'),
      ...service.env,
    },
  });

beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
  const events = [{}, { audit_id: auditId }, {}].map((more) =>
    JSON.stringify({ event_type: 'a.b', actor_type: 'user', actor_id: 'a', ...more }),
  );
  expect(await operator(['emit', '--tenant', 'acme'], events.join('\n'))).toMatchObject({ exitCode: 0 });
  expect(await operator(['verify', '--tenant', 'acme'])).toMatchObject({ exitCode: 0 });
  expect(await operator(['export', '--tenant', 'acme', '-o', 'acme.tally'])).toMatchObject({ exitCode: 0 });
  const { stdout: note } = await operator(['checkpoint', '--tenant', 'acme']);
  for (const name of ['mine.checkpoint', 'theirs.checkpoint']) writeFileSync(join(dir.path, name), note);
  key = readKnownLogs({ XDG_CONFIG_HOME: join(dir.path, 'operator') }).get(origin)!.pin!.key;
}, 180_000);
afterAll(async () => {
  await service?.close();
  dir.remove();
});

/** Replaces what the page leaves to the reader: addresses, the key, and the redirection of a shell. */
async function follow(line: string): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  const command = line
    .replace(/'audit\.example\.com\/acme\/1\+[^']*'|'…'/, key)
    .replace('https://audit.example.com', service.url)
    .split(/\s+/);
  const redirect = command.indexOf('>');
  const [target] = redirect < 0 ? [] : command.splice(redirect, 2).slice(1);
  const ran = command[0] === 'python3' ? await python(command.slice(1)) : await reader(command.slice(1));
  if (target !== undefined) writeFileSync(join(dir.path, target), ran.stdout);
  return ran;
}

function reader(args: string[]) {
  // The reader's key for the service is in the environment, as `tally --help` says; the page is about another key.
  const env = { XDG_CONFIG_HOME: join(dir.path, 'reader'), TALLYSTICK_API_KEY: service.key };
  return tally(args, {
    cwd: dir.path,
    env: args.includes('--server') || args[0] !== 'verify' ? { ...env, TALLYSTICK_URL: service.url } : env,
  });
}

async function python([script, ...args]: string[]) {
  const { stdout } = await promisify(execFile)('python3', [join(root, script!), ...args], { cwd: dir.path });
  return { exitCode: 0, stdout };
}

test('the page has commands, each of them of a kind that is followed here', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(4);
  const lines = blocks.flatMap((block) => block.trim().split('\n'));
  expect(lines.filter((line) => !/^(tally|python3) /.test(line))).toEqual([]);
});

test.each(blocks.map((block) => [block.trim().split('\n')[0]!, block] as const))(
  '%s',
  async (_, block) => {
    for (const line of block.trim().split('\n')) {
      const { exitCode, stdout } = await follow(line);
      // The verdict on a selection has a code of its own.
      expect(exitCode, line).toBe(/--verify|verify \S+\.zip/.test(line) ? 5 : 0);
      if (line.includes('--compare')) expect(stdout, line).toContain('one log');
      else if (/\bverify(\.py)?( |$)/.test(line)) expect(stdout, line).toContain('verified');
      else if (!line.includes('--evidence')) expect(stdout.length, line).toBeGreaterThan(50);
    }
  },
  60_000,
);

test('the quoted report is what the command prints', async () => {
  const [, quoted] = /looks like this:\n\n```\n(.*?)^```$/ms.exec(text)!;
  const verify = ['verify', '--server', service.url, '--tenant', 'acme'];
  // The first verification keeps the checkpoint that the second one is compared with.
  await reader(verify);
  const { stdout } = await reader(verify);
  // Only the form counts: the key, dates and numbers are those of an example.
  const formOf = (report: string) =>
    report
      .replace(/key pinned: \S+/, 'key pinned: KEY')
      .replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE')
      .replaceAll(/\d+/g, 'N');
  expect(formOf(stdout)).toBe(formOf(quoted!));
});

test('the quoted verdict on a list is what the command prints', async () => {
  const [, quoted] = /ends with the verdict:\n\n```\n(.*?)^```$/ms.exec(text)!;
  const list = ['events', '--server', service.url, '--tenant', 'acme', '--verify'];
  await reader(list);
  const { stdout } = await reader(list);
  const formOf = (report: string) =>
    report.replace(/key pinned: \S+/, 'key pinned: KEY').replaceAll(/\d+/g, 'N');
  expect(formOf(stdout.slice(stdout.indexOf('◐')))).toBe(formOf(quoted!));
});

test('without a trusted key it is not verifiable, with the exit code that the page names', async () => {
  const env = { XDG_CONFIG_HOME: join(dir.path, 'stranger') };
  const { exitCode } = await tally(['verify', 'acme.tally'], { cwd: dir.path, env });
  const [, code] = /\| `not_verifiable` \| (\d) \|/.exec(text)!;
  expect(exitCode).toBe(Number(code));
});
