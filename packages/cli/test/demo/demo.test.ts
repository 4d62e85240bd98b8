import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const bin = resolve(import.meta.dirname, '../../bin/tally.js');

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function demo(...args: readonly string[]): Demo {
  const child = spawn(process.execPath, [bin, 'demo', ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    child,
    output: () => text,
    ended: new Promise((done) => child.once('close', (code) => done(code))),
  };
}

const attacks = ['edit a field', 'delete a row', 'cut the tail', 'swap two rows', 'rewrite the whole chain'];

test('it tells the story, every attack is found, and it exits with 0', async () => {
  const { output, ended } = demo();
  expect(await ended).toBe(0);
  for (const attack of attacks) expect(output()).toContain(`✗ ${attack}\n`);
  expect(output().match(/^ +caught /gm)).toHaveLength(attacks.length);
  expect(output()).toContain('caught SEQUENCE_GAP: record 137 is missing\n');
  expect(output()).toMatch(/Every attack was found and located\. \([\d.]+ s\)\n$/);
}, 240_000);

test('for machines each step is a line, and --keep leaves the service up until SIGINT, and nothing after it', async () => {
  const { child, output, ended } = demo('--json', '--keep');
  const steps = () =>
    output()
      .split('\n')
      .slice(0, -1)
      .map(
        (line) =>
          JSON.parse(line) as {
            step: string;
            attack?: string;
            finding?: { code: string };
            url: string;
            directory: string;
          },
      );
  await expect.poll(() => steps().at(-1)?.step, { timeout: 200_000, interval: 100 }).toBe('kept');
  const { url, directory } = steps().at(-1)!;
  expect(steps().at(-2)).toMatchObject({ step: 'end', ok: true, attacks_caught: attacks.length });
  expect(steps().flatMap(({ attack }) => attack ?? [])).toEqual(attacks);
  // Each is caught by what the story says: a rewritten chain by the checkpoint that the auditor kept.
  expect(steps().flatMap(({ finding }) => finding?.code ?? [])).toEqual([
    'RECORD_HASH_MISMATCH',
    'SEQUENCE_GAP',
    'HEAD_MISMATCH',
    'SEQUENCE_GAP',
    'CHECKPOINT_ROOT_MISMATCH',
  ]);
  expect((await fetch(new URL('/health', url))).status).toBe(200);
  expect(existsSync(directory)).toBe(true);
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(existsSync(directory)).toBe(false);
}, 240_000);
