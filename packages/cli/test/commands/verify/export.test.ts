import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunOptions, tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;
const run = (args: string, options: RunOptions = {}) =>
  tally(args.split(' '), {
    cwd: dir.path,
    ...options,
    env: {
      XDG_CONFIG_HOME: join(dir.path, 'config'),
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      ...options.env,
    },
  });
const textOf = (name: string) => readFileSync(join(dir.path, name), 'utf8');

beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
  const events = Array.from({ length: 1_200 }, (_, at) => ({
    tenant_id: 'acme',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: at % 2 === 0 ? 'ann' : '=cmd()',
  }));
  const emitted = await run('emit', { stdin: events.map((event) => JSON.stringify(event)).join('\n') });
  expect(emitted.exitCode).toBe(0);
}, 120_000);
afterAll(async () => {
  await service?.close();
  dir.remove();
});

test('CSV to standard output and to a file is the same', async () => {
  const printed = await run('export --format csv --actor ann --last 1200');
  expect(printed.exitCode).toBe(0);
  expect(printed.stdout.split('\r\n')).toHaveLength(602);
  const written = await run('export --format csv --actor ann --last 1200 -o ann.csv.gz');
  expect([written.exitCode, written.stderr]).toEqual([0, 'wrote ann.csv.gz with 600 events\n']);
  expect(gunzipSync(readFileSync(join(dir.path, 'ann.csv.gz'))).toString()).toBe(printed.stdout);
  expect((await run('export --format csv --last 4')).stdout).toContain(",'=cmd(),");
});

/** A process that is asked to end when the export has written this many parts. */
function stoppedAfter(parts: number): AbortSignal {
  let asked = 0;
  return {
    get aborted() {
      return asked++ >= parts;
    },
    addEventListener: () => {},
  } as unknown as AbortSignal;
}

test.each([0, 1])(
  'an export that is interrupted after %i further parts is gone on with, and is then the same',
  async (parts) => {
    const whole = (await run('export --format csv --last 1200')).stdout;
    const interrupted = await run('export --format csv --last 1200 -o all.csv', {
      stopped: stoppedAfter(parts),
    });
    expect(interrupted.exitCode).toBe(4);
    expect(interrupted.stderr).toContain('go on with: tally export -o all.csv --resume');
    expect(existsSync(join(dir.path, 'all.csv'))).toBe(false);
    // What a killed process has written beyond its last state.
    writeFileSync(join(dir.path, 'all.csv.part'), `${textOf('all.csv.part')}1,999999,torn`);
    const done = await run('export -o all.csv --resume');
    expect([done.exitCode, done.stderr]).toEqual([0, 'wrote all.csv with 1201 events\n']);
    expect(textOf('all.csv')).toBe(whole);
    for (const left of ['all.csv.part', 'all.csv.part.json'])
      expect(existsSync(join(dir.path, left))).toBe(false);
    rmSync(join(dir.path, 'all.csv'));
  },
);

test.each([
  ['--resume', 'needs the file', 3],
  ['--resume -o nothing.csv', 'start the export without --resume', 4],
  ['--resume -o nothing.csv --actor ann', 'keeps its filters', 3],
  ['--reads', 'can not be filtered', 3],
  ['--format csv -o missing/x.csv', "can't write", 4],
])('export %s', async (args, message, exitCode) => {
  const ran = await run(`export ${args}`);
  expect(ran.stderr).toContain(message);
  expect(ran.exitCode).toBe(exitCode);
});

test('an unfinished export of another service is refused', async () => {
  await run('export --format jsonl -o other.jsonl', { stopped: AbortSignal.abort() });
  const state = JSON.parse(textOf('other.jsonl.part.json'));
  state.state.from = 'https://elsewhere.example';
  writeFileSync(join(dir.path, 'other.jsonl.part.json'), JSON.stringify(state));
  const refused = await run('export -o other.jsonl --resume');
  expect(refused.stderr).toContain('is from https://elsewhere.example');
  writeFileSync(join(dir.path, 'other.jsonl.part.json'), '{');
  expect((await run('export -o other.jsonl --resume')).stderr).toContain('is damaged');
});
