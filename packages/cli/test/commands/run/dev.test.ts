import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

const bin = resolve(import.meta.dirname, '../../../bin/tally.js');
const dir = tempDir();
const env = { XDG_CONFIG_HOME: dir.path };
const started: ChildProcessByStdio<null, Readable, Readable>[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  dir.remove();
});

/** Starts a command that stays up, and waits for its first line of JSON. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args, '--json'], {
    cwd: dir.path,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended with ${code}: ${stderr}`))),
  ]);
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    return { code, stderr };
  };
  return { printed: JSON.parse(String(line)) as { url: string; data: string; key?: string }, stop };
}

test('dev creates a key at its first start only, serves, and shuts down cleanly', async () => {
  const first = await start('dev', '--port', '0');
  expect(first.printed.data).toBe(join(dir.path, '.tallystick'));
  const { url, key } = first.printed;
  const emit = (server: string) =>
    tally(
      ['emit', '--server', server, '--key', key!, '--tenant', 'acme', '--type', 'a.b', '--actor', 'jane'],
      { env },
    );
  expect((await emit(url)).stdout).toMatch(/^chained {2}acme #1 /);
  expect((await fetch(`${url}/v1/tenants`)).status).toBe(401);
  expect(await first.stop()).toEqual({ code: 0, stderr: expect.stringContaining('stopped') });

  const second = await start('dev', '--port', '0', '--cors-origin', 'http://localhost:3000');
  expect(second.printed.key).toBeUndefined();
  expect((await emit(second.printed.url)).stdout).toMatch(/^chained {2}acme #2 /);
  // With the option, a page of the developer's own can have the viewer in it.
  const asked = await fetch(`${second.printed.url}/v1/tenants`, {
    headers: { origin: 'http://localhost:3000' },
  });
  expect(asked.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
  expect((await second.stop()).code).toBe(0);
}, 180_000);

test('what dev prints for other terminals is what the command line and the SDK read', async () => {
  const data = join(dir.path, 'printed');
  await prepareEmbeddedStore(data);
  const child = spawn(process.execPath, [bin, 'dev', '--port', '0', '--data', data], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const printed: Record<string, string> = {};
  let link = '';
  for await (const line of createInterface(child.stdout)) {
    for (const [, name, value] of line.matchAll(/(TALLY\w+)=(\S+)/g)) printed[name!] = value!;
    link = /http:\S+\/console\/#link=\S+/.exec(line)?.[0] ?? link;
    if (printed.TALLYSTICK_API_KEY !== undefined) break;
  }
  const { origin, href, hash } = new URL(link);
  const signIn = () =>
    fetch(href.replace(hash, 'session'), {
      method: 'POST',
      body: JSON.stringify({ link: hash.replace('#link=', '') }),
      headers: { origin, 'content-type': 'application/json', 'x-tallystick-console': '1' },
    });
  expect(await (await signIn()).json()).toMatchObject({ session: { scopes: ['admin'] } });
  expect((await signIn()).status).toBe(401);
  const emit = `
    import { createAuditEmitter } from '@tallystick/sdk';
    await using audit = createAuditEmitter({ service: 'checkout' });
    const { receipt } = await audit.record({
      tenantId: 'acme', eventType: 'order.refunded', actorType: 'user', actorId: 'u-17', outcome: 'success',
    });
    console.log(receipt.sequence_number);`;
  const sdk = spawn(
    process.execPath,
    ['--conditions=tallystick-source', '--input-type=module', '--eval', emit],
    { cwd: import.meta.dirname, env: { ...process.env, ...printed }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(createInterface(sdk.stdout), 'line');
  expect(line).toBe('1');
  const { stdout } = await tally(['events'], { env: { ...env, ...printed } });
  expect(stdout).toContain('order.refunded');
  child.kill('SIGTERM');
  await once(child, 'exit');
}, 180_000);

test.each([
  [['serve'], 'name exactly one store'],
  [['serve', '--data', 'x'], '--log-name is needed'],
  // A mistyped path became a store of 40 MB that no client could call.
  [['serve', '--data', 'x', '--log-name', 'a.example'], 'there is no store in'],
  [['serve', '--database-url', 'postgres://x', '--log-name', 'a.example'], '--signer-dir is needed'],
  [['serve', '--database-url', 'postgres://x', '--data', 'y'], 'name exactly one store'],
])('%j does not start', async (args, message) => {
  const { stderr, exitCode } = await tally(args, { env, cwd: dir.path });
  expect(stderr).toContain(message);
  expect(exitCode).toBe(3);
});

test('serve does not start without an API key, and can make one', async () => {
  const data = join(dir.path, 'production');
  await prepareEmbeddedStore(data);
  const args = ['serve', '--data', data, '--log-name', 'audit.example.com', '--port', '0'];
  const refused = await tally(args, { env, cwd: dir.path });
  expect(refused.stderr).toContain('the store has no API key');
  expect(refused.exitCode).toBe(3);
  const ran = await tally([...args, '--create-admin-key'], { env, cwd: dir.path });
  expect(ran.stdout).toMatch(/^tally_[0-9a-f]{12}_[0-9a-f]{64}\n$/);
  expect(ran.exitCode).toBe(0);
  const stopping = new AbortController();
  // The store has a name by now, so it need not be given.
  const serving = tally(['serve', '--data', data, '--port', '0'], {
    env,
    cwd: dir.path,
    stopped: stopping.signal,
  });
  stopping.abort();
  expect(await serving).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('listening on http://127'),
  });
}, 180_000);
