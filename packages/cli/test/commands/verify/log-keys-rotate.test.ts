import { cpSync, existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tally } from '../../run-tally.ts';

/** A rotation of the log's key, as the operator, an auditor and a thief of the old key see it. The tests run in order. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const dir = tempDir();
afterAll(() => dir.remove());
const path = (name: string) => join(dir.path, name);

/** @param config each has trust of its own */
const runAs = (config: string, args: string) =>
  tally(args.split(' '), {
    cwd: dir.path,
    env: { XDG_CONFIG_HOME: path(config), TALLYSTICK_LOG_NAME: 'audit.test' },
  });
const run = (args: string) => runAs('config', args);
const emit = async (store: string) =>
  expect((await run(`emit --data ${store} --tenant acme --type a.b --actor a`)).exitCode).toBe(0);
const keysOf = async (config: string) =>
  (await runAs(config, 'log-keys list --json')).json()[0] as { readonly key: string; readonly by: string }[];
const evidenceOf = (config: string) => {
  const directory = path(join(config, 'tallystick', 'evidence'));
  return existsSync(directory) ? readdirSync(directory) : [];
};

beforeAll(async () => {
  await prepareEmbeddedStore(path('trail'));
  await emit('trail');
  for (const config of ['config', 'later', 'remote'])
    expect((await runAs(config, 'verify --data trail --tenant acme')).exitCode).toBe(0);
  await run('export --data trail --tenant acme -o old.tally');
  await run('receipt --data trail --tenant acme 1 -o old.tlog-proof');
  cpSync(path('trail'), path('stolen'), { recursive: true });
  await emit('trail');
});

test('without --yes the key is only shown', async () => {
  expect(await run('log-keys rotate --data trail')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^audit\.test\+[0-9a-f]{8}\+\S+\n$/),
    stderr: expect.stringContaining('nothing was changed'),
  });
  expect((await run('log-keys rotate --data trail --yes')).stderr).toContain('--yes needs --reason');
  expect((await run('log-keys rotate --data trail --yes --reason \u0001')).exitCode).toBe(3);
});

test('the rotation is a notice for who trusts the old key, and the new key is kept', async () => {
  const [before] = await keysOf('config');
  const done = await run('log-keys rotate --data trail --yes --reason yearly --json');
  expect([done.exitCode, done.json()]).toMatchObject([
    0,
    [{ log_name: 'audit.test', logs: 1, statement: expect.stringContaining('tallystick/key-rotation/v1\n') }],
  ]);
  const verified = await run('verify --data trail --tenant acme');
  expect([verified.exitCode, verified.stdout]).toEqual([0, expect.stringContaining('✔ verified  acme')]);
  expect(verified.stdout).toContain('signed by both');
  expect(verified.stderr).toContain('was rotated on');
  const [after] = await keysOf('config');
  expect([before!.by, after!.by]).toEqual(['first-use', 'rotation']);
  expect(after!.key).not.toBe(before!.key);
  // What changed is told once.
  expect((await run('verify --data trail --tenant acme')).stderr).toBe('');
});

test('it is on record in the trail of the service', async () => {
  const { stdout } = await run('events --data trail --tenant tallystick --type audit.log_key_rotated --json');
  expect(JSON.parse(stdout.trim())).toMatchObject({ metadata: { reason: 'yearly', logs: 1 } });
});

test('what the old key signed stays valid', async () => {
  expect(await run('verify old.tally')).toMatchObject({ exitCode: 0 });
  expect(await run('verify old.tlog-proof')).toMatchObject({ exitCode: 0 });
});

test('an export and a receipt carry the rotation: each of the two keys is enough to verify them', async () => {
  await emit('trail');
  await run('export --data trail --tenant acme -o new.tally');
  await run('receipt --data trail --tenant acme 2 -o new.tlog-proof');
  const current = (await keysOf('config'))[0]!.key;
  const old = (await keysOf('later'))[0]!.key;
  for (const file of ['new.tally', 'new.tlog-proof']) {
    for (const key of [current, old])
      expect(await runAs('empty', `verify ${file} --key ${key}`)).toMatchObject({ exitCode: 0 });
    expect(await runAs('later', `verify ${file}`)).toMatchObject({ exitCode: 0 });
  }
  const receipt = await runAs('later', 'verify new.tlog-proof --json');
  expect(receipt.json()).toMatchObject([{ rotations: [{ old_key: old, new_key: current }] }]);
  // A file never moves a pin.
  expect(await keysOf('later')).toMatchObject([{ key: old }]);
});

test('a thief of the old key can sign nothing beyond what it signed before', async () => {
  await emit('stolen');
  await emit('stolen');
  await run('export --data stolen --tenant acme -o forged.tally');
  const forged = await run('verify forged.tally');
  expect([forged.exitCode, forged.stdout]).toEqual([1, expect.stringContaining('CHECKPOINT_KEY_RETIRED')]);
});

test('the old key, or another key that the thief makes it endorse, is an alarm at a known place', async () => {
  renameSync(path('trail'), path('genuine'));
  renameSync(path('stolen'), path('trail'));
  for (const rotate of [false, true]) {
    if (rotate) await run('log-keys rotate --data trail --yes --reason stolen');
    const alarm = await run('verify --data trail --tenant acme');
    expect([alarm.exitCode, alarm.stderr]).toEqual([6, expect.stringContaining('(LOG_KEY_CHANGED)')]);
    // Only the second time, the old key named two successors.
    expect(alarm.stderr.includes('named two successors of one key; both are saved')).toBe(rotate);
    expect(evidenceOf('config')).toHaveLength(rotate ? 2 : 0);
  }
  await run('receipt --data trail --tenant acme 2 -o thief.tlog-proof');
  renameSync(path('trail'), path('stolen'));
  renameSync(path('genuine'), path('trail'));
});

test("a thief's receipt is refused, and the two successors are evidence for who kept the first", async () => {
  const old = (await keysOf('later'))[0]!.key;
  const refused = await run(`verify thief.tlog-proof --key ${old}`);
  expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining('KEY_ROTATION_INVALID')]);
  expect(refused.stderr).toContain('audit.test named two successors of one key; both are saved as evidence');
  expect(evidenceOf('config')).toHaveLength(2);
});

test('a file of the thief is enough for that, without any key on the command line', async () => {
  // Read only the genuine log, so the key that is pinned is the one after the rotation.
  await runAs('offline', 'verify --data trail --tenant acme');
  const refused = await runAs('offline', 'verify thief.tlog-proof');
  expect([refused.exitCode, refused.stdout]).toEqual([1, expect.stringContaining('KEY_ROTATION_INVALID')]);
  expect(refused.stderr).toContain('audit.test named two successors of one key; both are saved as evidence');
  expect(evidenceOf('offline')).toHaveLength(2);
});

test('an auditor who comes after two rotations, by a store or by a service, follows both', async () => {
  const again = await run('log-keys rotate --data trail --yes --reason again');
  expect(again.stdout).toMatch(/^audit\.test\+\S+\naudit\.test\+\S+\n$/);
  const later = await runAs('later', 'verify --data trail --tenant acme');
  expect([later.exitCode, later.stderr]).toEqual([0, expect.stringMatching(/rotated on \S+ and \S+;/)]);
  const service = await AuditService.open({ store: { directory: path('trail') } });
  const { key } = await service.keys.create({ name: 'auditor', scopes: ['admin'] });
  const server = await serveHttp(service, { port: 0, logger: false, auditReads: false });
  try {
    const remote = await runAs('remote', `verify --server ${server.url} --key ${key} --tenant acme`);
    expect([remote.exitCode, remote.stderr]).toEqual([0, expect.stringMatching(/rotated on \S+ and \S+;/)]);
  } finally {
    await server.close();
    await service.close();
  }
  expect(await keysOf('remote')).toEqual([expect.objectContaining({ by: 'rotation' })]);
});
