import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService } from '../service.ts';

/**
 * Trust at first use began again when a place showed a log with another name, so whoever replaced a store or a service only had
 * to rename the log. The tests run in order.
 */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const dir = tempDir();
afterAll(() => dir.remove());
const config = join(dir.path, 'config');

const run = (args: string, env: { readonly [name: string]: string } = {}) =>
  tally(args.split(' '), { cwd: dir.path, env: { XDG_CONFIG_HOME: config, ...env } });
const path = (name: string) => join(dir.path, name);
const makeStore = async (name: string, logName?: string) => {
  await prepareEmbeddedStore(path(name));
  const env = logName === undefined ? {} : { TALLYSTICK_LOG_NAME: logName };
  expect((await run(`emit --data ${name} --tenant acme --type a.b --actor a`, env)).exitCode).toBe(0);
};
const replaceStore = async (name: string, logName?: string) => {
  renameSync(path(name), path(`${name}-before`));
  await makeStore(name, logName);
};
const trusted = () =>
  ['known-logs', 'known-places'].map((name) =>
    readFileSync(join(config, 'tallystick', `${name}.json`), 'utf8'),
  );

describe('a directory with another log than before', () => {
  beforeAll(async () => {
    await makeStore('named');
    expect((await run('verify --data named')).exitCode).toBe(0);
    await replaceStore('named');
  });

  test('is an alarm, and nothing new is trusted', async () => {
    const before = trusted();
    for (const args of ['verify --data named', 'verify --data named --tenant acme']) {
      const { stdout, stderr, exitCode } = await run(args);
      expect([exitCode, stdout]).toEqual([6, '']);
      expect(stderr).toContain('(LOG_NAME_CHANGED)');
      expect(stderr).toContain('tally log-keys trust --tenant acme');
    }
    expect(trusted()).toEqual(before);
  });

  test('is accepted by an explicit command alone', async () => {
    const { stderr } = await run('log-keys trust --data named --tenant acme');
    expect(stderr).toMatch(
      /accepted local\/[0-9a-f]{16}\/acme\/1 in place of local\/[0-9a-f]{16}\/acme\/1\n/,
    );
    expect((await run('verify --data named')).exitCode).toBe(0);
    // A store that moved keeps the trust in its log, and its new directory is a place of its own.
    expect((await run('verify --data named-before')).exitCode).toBe(0);
  });

  test('is an alarm too where only an earlier version of the program remembers it', async () => {
    await replaceStore('named-before');
    rmSync(join(config, 'tallystick/known-places.json'));
    renameSync(path('named'), path('named-second'));
    renameSync(path('named-before'), path('named'));
    expect((await run('verify --data named')).stderr).toContain('(LOG_NAME_CHANGED)');
  });
});

describe('a directory with another key under the same name', () => {
  beforeAll(async () => {
    await makeStore('keyed', 'audit.test');
    expect((await run('verify --data keyed')).exitCode).toBe(0);
    await replaceStore('keyed', 'audit.test');
  });

  test('is an alarm', async () => {
    const { stderr, exitCode } = await run('verify --data keyed');
    expect(stderr).toContain('(LOG_KEY_CHANGED)');
    expect(exitCode).toBe(6);
  });

  test('is still compared with the checkpoint that was kept, after the key was accepted', async () => {
    expect((await run('log-keys trust --data keyed --tenant acme')).exitCode).toBe(0);
    const { stdout, exitCode } = await run('verify --data keyed');
    expect(stdout).toContain('✘ BROKEN');
    expect(exitCode).toBe(1);
  });
});

test('a tenant that was verified at a service and is gone is broken, and every other tenant is verified', async () => {
  const data = path('service');
  let service = await openService(data);
  const env = () => service.env;
  const emit = (tenant: string) => run(`emit --tenant ${tenant} --type a.b --actor a`, env());
  expect((await emit('globex')).exitCode).toBe(0);
  await service.close();
  cpSync(data, path('saved'), { recursive: true });
  service = await openService(data);
  expect((await emit('initech')).exitCode).toBe(0);
  expect((await run('verify', env())).exitCode).toBe(0);
  await service.close();
  rmSync(data, { recursive: true });
  cpSync(path('saved'), data, { recursive: true });
  service = await openService(data);
  try {
    const { stdout, exitCode } = await run('verify', env());
    expect(stdout).toContain('✔ verified  globex');
    expect(stdout).toContain('✘ BROKEN  initech');
    expect(stdout).toContain('LOG_MISSING');
    expect(exitCode).toBe(1);
  } finally {
    await service.close();
  }
});
