import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCheckpoint, importSigningKey, sha256, signNote } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKnownLogs, withCheckpoint, writeKnownLogs } from '../../../src/trust/known-logs.ts';
import { type RunOptions, tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

/**
 * Each verification keeps the checkpoint that it verified, and the next one is compared with it. So a service that was
 * rolled back together with its signer is found, without any action of its user. The tests depend on each other and run in order.
 */
const dir = tempDir();
const [data, saved] = [join(dir.path, 'store'), join(dir.path, 'saved')];
const env = { XDG_CONFIG_HOME: join(dir.path, 'config') };
let service: Service;

beforeAll(async () => {
  service = await openService(data);
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

const today = Date.UTC(2026, 2, 1);
const run = (args: string, options: RunOptions = {}) =>
  tally(args.split(' '), {
    cwd: dir.path,
    now: today,
    ...options,
    env: {
      ...env,
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      ...options.env,
    },
  });
const emit = (tenant: string, actor: string) =>
  run(`emit --type a.b --actor ${actor} --tenant ${tenant}`, { now: Date.now() });
const keptSize = () => readKnownLogs(env).get('tally.local/acme/1')?.checkpoint?.size;

test('the first verification leaves its checkpoint behind', async () => {
  for (const actor of ['a', 'b', 'c']) expect((await emit('acme', actor)).exitCode).toBe(0);
  await emit('globex', 'a');
  const { stdout } = await run('verify');
  expect(stdout).toContain('verified');
  expect(stdout).not.toContain('compared with');
  expect((await run('log-keys list')).stdout).toMatch(/4 records, 2026-03-01/);
  expect((await run('log-keys list --json')).json()).toMatchObject([
    [
      {
        origin: 'tally.local/acme/1',
        by: 'first-use',
        checkpoint: { size: 4, kept_at: '2026-03-01T00:00:00.000Z' },
      },
    ],
  ]);
  await run('export -o old.tally');
  await run('checkpoint --tenant globex -o globex.note');
  await service.close();
  cpSync(data, saved, { recursive: true });
  service = await openService(data);
});

test('the next verification is compared with it, and reports that', async () => {
  for (const actor of ['d', 'e']) await emit('acme', actor);
  const { stdout, stderr } = await run('verify', { now: today + 86_400_000 });
  expect(stdout).toContain('✔ verified  acme  6 records');
  expect(stdout).toContain('  compared with the checkpoint of 4 records kept since 2026-03-01\n');
  expect(stderr).toBe('');
  expect(keptSize()).toBe(6);
  expect((await run('verify --json')).json()).toMatchObject([
    { verdict: 'verified', held_against: [{ size: 6, kept_since: '2026-03-02T00:00:00.000Z' }] },
  ]);
});

test('an earlier export is not tampered with; it is compared with the checkpoint that is given', async () => {
  const old = await run('verify old.tally');
  expect(old.exitCode).toBe(0);
  expect(old.stderr).toBe(
    'warning: old.tally ends before the checkpoint of 6 records kept since 2026-03-02, so it was not compared with it\n',
  );
  expect(keptSize()).toBe(6);
  await run('checkpoint -o kept.note');
  const held = await run('verify old.tally --checkpoint kept.note');
  expect(held.stderr).toContain('old.tally ends before the checkpoint of 6 records in kept.note');
  expect(held.exitCode).toBe(2);
  await run('export -o new.tally');
  const fresh = await run('verify new.tally');
  expect(fresh.stdout).toContain('compared with the checkpoint of 6 records kept since 2026-03-02');
});

test('--checkpoint works with a service too, and every given checkpoint is used', async () => {
  const held = await run('verify --checkpoint kept.note');
  expect(held.stdout).toContain('compared with the checkpoint of 6 records in kept.note');
  expect(held.exitCode).toBe(0);
  for (const target of ['', ' old.tally']) {
    const other = await run(`verify${target} --checkpoint globex.note`);
    expect(other.stderr).toContain(
      'globex.note is a checkpoint of tally.local/globex/1, which was not verified',
    );
    expect(other.exitCode).toBe(3);
  }
  const all = await run('verify --checkpoint kept.note globex.note', {
    env: { TALLYSTICK_TENANT: undefined },
  });
  expect(all.exitCode).toBe(0);
  writeFileSync(join(dir.path, 'rubbish'), 'x');
  expect((await run('verify --checkpoint rubbish')).stderr).toContain('rubbish is not a checkpoint');
  expect((await run('verify --checkpoint nowhere')).exitCode).toBe(4);
  await run('export --first 1 --last 2 -o part.tally');
  expect((await run('verify part.tally --checkpoint kept.note')).exitCode).toBe(5);
  await emit('acme', 'f');
  await run('export --first 1 --last 2 -o part.tally');
  // The service proves that the part and the checkpoint are of one log. Without a service they can't be compared.
  const part = await run('verify part.tally --checkpoint kept.note');
  expect(part.exitCode).toBe(5);
  expect(part.stdout).toContain('compared with the checkpoint of 6 records in kept.note');
  const offline = await run('verify part.tally --checkpoint kept.note', {
    env: { TALLYSTICK_URL: undefined },
  });
  expect(offline.stderr).toContain("can't be compared with the checkpoint of 6 records in kept.note");
  expect(offline.exitCode).toBe(2);
  const stranger = await importSigningKey(sha256('a stranger'));
  const forged = formatCheckpoint({ origin: 'tally.local/acme/1', size: 6, root: sha256('x') });
  writeFileSync(
    join(dir.path, 'forged'),
    await signNote(forged, [{ name: 'tally.local/acme/1', key: stranger }]),
  );
  const untrusted = await run('verify --checkpoint forged');
  expect(untrusted.stderr).toContain('no trusted key signed the checkpoint in forged (NOT_VERIFIABLE)');
  expect(untrusted.exitCode).toBe(2);
});

test('a key that is given each time keeps checkpoints without being pinned', async () => {
  const own = { env: { XDG_CONFIG_HOME: join(dir.path, 'other') } };
  const [logs] = (await run('log-keys list --json')).json() as { origin: string; key: string }[][];
  const { key } = logs!.find(({ origin }) => origin.includes('acme'))!;
  await run(`verify new.tally --key ${key}`, own);
  expect((await run('log-keys list', own)).stdout).toMatch(/acme\/1 +- +- +6 records/);
  expect((await run('verify new.tally --json', own)).json()).toMatchObject([{ verdict: 'not_verifiable' }]);
});

test('a configuration that can’t be written costs the memory, not the verdict', async () => {
  const [logs] = (await run('log-keys list --json')).json() as { origin: string; key: string }[][];
  const { key } = logs!.find(({ origin }) => origin.includes('acme'))!;
  const home = { env: { XDG_CONFIG_HOME: join(dir.path, 'read-only') } };
  mkdirSync(join(dir.path, 'read-only/tallystick'), { recursive: true });
  // A directory in the place of the file that is written first.
  mkdirSync(join(dir.path, `read-only/tallystick/known-logs.json.${process.pid}.new`));
  const { stdout, stderr, exitCode } = await run(`verify new.tally --key ${key}`, home);
  expect(stdout).toContain('✔ verified');
  expect(stderr).toContain("the checkpoint can't be kept in");
  expect(exitCode).toBe(0);
});

test('a service that was rolled back with its signer is found', async () => {
  const before = readFileSync(join(env.XDG_CONFIG_HOME, 'tallystick/known-logs.json'), 'utf8');
  await service.close();
  rmSync(data, { recursive: true });
  cpSync(saved, data, { recursive: true });
  service = await openService(data);
  const { stdout, exitCode } = await run('verify');
  expect(stdout).toContain('✘ BROKEN');
  expect(stdout).toContain('compared with the checkpoint of');
  expect(stdout).toMatch(/HEAD_MISMATCH +4 /);
  expect(exitCode).toBe(1);
  // A broken trail does not change the known logs.
  expect(readFileSync(join(env.XDG_CONFIG_HOME, 'tallystick/known-logs.json'), 'utf8')).toBe(before);
});

test('so is one that shows an earlier epoch than was seen', async () => {
  const origin = 'tally.local/acme/2';
  const key = await importSigningKey(sha256('any'));
  const note = await signNote(formatCheckpoint({ origin, size: 2, root: sha256('x') }), [
    { name: origin, key },
  ]);
  writeKnownLogs(env, withCheckpoint(readKnownLogs(env), note, '2026-03-05T00:00:00.000Z'));
  const { stderr, exitCode } = await run('verify');
  expect(stderr).toContain(
    'was rolled back: it shows epoch 1 of a log whose epoch 2 was verified on 2026-03-05 (BROKEN)',
  );
  expect(exitCode).toBe(1);
  expect((await run(`log-keys unpin ${origin}`)).stderr).toBe(`forgot ${origin}\n`);
  expect((await run('log-keys unpin tally.local/acme/1')).exitCode).toBe(0);
  expect((await run('verify')).stdout).toContain('✔ verified  acme  4 records');
});
