import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { runCli } from '../src/program.ts';

const bin = resolve(import.meta.dirname, '../bin/tally.js');
const bundle = (name: string) => resolve(import.meta.dirname, `../../../spec/vectors/bundles/${name}`);

/** Commands that need no service, and the exit code that each has when its output is read. */
const cases: readonly (readonly [args: readonly string[], stdin: string, exitCode: number])[] = [
  [['verify', bundle('broken-link.tally')], '', 1],
  [['verify', bundle('broken-link.tally'), '--json'], '', 1],
  [['verify', bundle('complete.tally')], '', 2],
  [['hash'], '{"a":1}', 0],
  [['hash'], '{"a": 1}', 1],
  [['canonical'], '{', 1],
  [['import', '--format', 'jsonl', '--tenant', 'acme', '--dry-run', '--json'], '{\n', 1],
  [['help', 'emit'], '', 0],
  [['verify', '--checkpoint'], '', 3],
  [['hash', '/missing'], '', 4],
];

/** Runs a command line whose writes to stdout, and perhaps to stderr, fail. */
async function runWithFailingOutput(args: readonly string[], stdin: string, code: string, both = false) {
  let stderr = '';
  const failing = () =>
    new Writable({
      autoDestroy: false,
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
    }).on('error', () => {});
  const exitCode = await runCli(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: failing(),
    stderr: both
      ? failing()
      : new Writable({
          write(chunk, _encoding, done) {
            stderr += chunk;
            done();
          },
        }),
    env: { XDG_CONFIG_HOME: '/nonexistent' },
    cwd: '/',
    now: Date.now,
    stopped: new AbortController().signal,
  });
  return { exitCode, stderr };
}

// `tally verify bad.tally | head -1` ended with 0: the closed pipe ended the process before the verdict became its exit code.
describe.each([false, true])('a closed pipe, stderr closed too: %s', (both) => {
  test.each(cases)('%j keeps its exit code', async (args, stdin, exitCode) => {
    const ran = await runWithFailingOutput(args, stdin, 'EPIPE', both);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).not.toContain('OUTPUT_FAILED');
  });
});

describe('a full disk behind stdout', () => {
  test.each(cases)('%j: a success becomes 4, every other exit code stays', async (args, stdin, exitCode) => {
    const ran = await runWithFailingOutput(args, stdin, 'ENOSPC');
    expect(ran.exitCode).toBe(exitCode === 0 ? 4 : exitCode);
    if (exitCode === 0)
      expect(ran.stderr).toContain("can't write to standard output: ENOSPC (OUTPUT_FAILED)");
  });
});

describe('as a process', () => {
  test.each([
    ['>&-'],
    ['2>&-'],
    ['| true'],
    ['2>&1 | true'],
    ...(existsSync('/dev/full') ? [['> /dev/full'], ['> /dev/full 2>&1']] : []),
  ])('verify of a broken bundle %s ends with 1', (redirection) => {
    const command = `'${process.execPath}' '${bin}' verify '${bundle('broken-link.tally')}' ${redirection}; exit \${PIPESTATUS[0]}`;
    expect(spawnSync('bash', ['-c', command]).status).toBe(1);
  });
});
