import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { until } from '@tallystick/testing';
import { expect, test } from 'vitest';

const bin = resolve(import.meta.dirname, '../bin/tally.js');
const first = ['--map-root-user', '--pid', '--fork', '--kill-child'];
const hasContainers = spawnSync('unshare', [...first, 'true']).status === 0;

// The first process of a container outlives every signal that it has no handler for: no Ctrl-C ended `docker run -it`
// of a command that waited for a server.
test.skipIf(!hasContainers)('the second signal ends a command that is the first process', async () => {
  let asked = false;
  const silent = createServer(() => {
    asked = true;
  }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const command = [process.execPath, bin, 'events', '--tenant', 'acme', '--server', server, '--key', 'k'];
  const child = spawn('unshare', [...first, ...command], { stdio: 'ignore' });
  try {
    const exited = once(child, 'exit');
    await until(() => asked, { timeoutMs: 60_000, what: 'the request' });
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
  } finally {
    child.kill('SIGKILL');
    silent.close();
  }
});
