import { join } from 'node:path';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService } from '../service.ts';

/** Two stores of one machine shared a log name, so the second one looked like a forged copy of the first. */
const dir = tempDir();
const config = { XDG_CONFIG_HOME: join(dir.path, 'config') };
const run = (args: string, env = {}) => tally(args.split(' '), { cwd: dir.path, env: { ...config, ...env } });
afterAll(() => dir.remove());

const originOf = async (store: string, env = {}) => {
  const { exitCode, json } = await run(`checkpoint --data ${store} --tenant acme --json`, env);
  return { exitCode, origin: (json()[0] as { origin: string } | undefined)?.origin };
};

beforeAll(async () => {
  for (const store of ['a', 'b']) {
    await prepareEmbeddedStore(join(dir.path, store));
    expect((await run(`emit --data ${store} --tenant acme --type a.b --actor ${store}`)).exitCode).toBe(0);
  }
}, 120_000);

test('each new store has a name of its own, which it keeps, and both verify', async () => {
  const a = await originOf('a');
  const b = await originOf('b');
  expect(a.origin).toMatch(/^local\/[0-9a-f]{16}\/acme\/1$/);
  expect(b.origin).toMatch(/^local\/[0-9a-f]{16}\/acme\/1$/);
  expect(a.origin).not.toBe(b.origin);
  expect(await originOf('a')).toEqual(a);
  for (const store of ['a', 'b', 'a']) {
    const { exitCode, stdout } = await run(`verify --data ${store}`);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('✔ verified'),
    });
  }
}, 120_000);

test('a store that has a name opens without settings, and with another name it does not', async () => {
  const store = join(dir.path, 'named');
  await (await openService(store)).close();
  expect((await run('emit --data named --tenant acme --type a.b --actor a')).exitCode).toBe(0);
  expect((await originOf('named')).origin).toBe('tally.local/acme/1');
  const other = await run('events --data named --tenant acme', { TALLYSTICK_LOG_NAME: 'other.example' });
  expect(other.exitCode).toBe(3);
  expect(other.stderr).toContain('belongs to the log tally.local, not other.example');
}, 120_000);
