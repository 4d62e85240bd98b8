import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { tempDir, until } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

const bin = resolve(import.meta.dirname, '../bin/tally.js');
const first = ['--map-root-user', '--pid', '--fork', '--kill-child'];
const hasContainers = spawnSync('unshare', [...first, 'true']).status === 0;

let silent: Server;
let asked: Promise<unknown>;
let child: ChildProcess;
beforeEach(async () => {
  silent = createServer().listen(0, '127.0.0.1');
  asked = once(silent, 'connection');
  await once(silent, 'listening');
});
afterEach(() => {
  child.kill('SIGKILL');
  silent.close();
});

/** Starts a command that waits for a server which never answers. */
async function waiting(prefix: readonly string[], ...command: string[]): Promise<void> {
  const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const words = [
    ...prefix,
    process.execPath,
    bin,
    ...command,
    '--tenant',
    'acme',
    '--server',
    server,
    '--key',
    'tally_k',
  ];
  child = spawn(words[0]!, words.slice(1), { stdio: 'ignore' });
  await asked;
}

// The command used to wait for its time-out of twenty seconds, unless the user pressed Ctrl-C twice.
test('a signal ends a command that has nothing to finish', async () => {
  await waiting([], 'events');
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
});

// Linux ignores signals without a handler for the first process of a container, so Ctrl-C did not end `docker run -it` of a
// command that waited for a server.
test.skipIf(!hasContainers)('a second one ends a command that is the first process', async () => {
  using dir = tempDir();
  const file = join(dir.path, 'events.jsonl');
  const event = {
    audit_id: '00000000-0000-4000-8000-000000000001',
    tenant_id: 'acme',
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'a.b',
    actor_type: 'user',
    actor_id: 'jane',
    source_service: 'cms',
  };
  writeFileSync(file, JSON.stringify(event));
  await waiting(['unshare', ...first], 'import', '--format', 'jsonl', file);
  const exited = once(child, 'exit');
  const tally = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
  process.kill(tally, 'SIGINT');
  // Until its handler has run, a second one would be the same one.
  await until(
    () => {
      if (child.exitCode === null) process.kill(tally, 'SIGTERM');
      return child.exitCode !== null;
    },
    { timeoutMs: 10_000, what: 'the end' },
  );
  expect(await exited).toEqual([143, null]);
});
