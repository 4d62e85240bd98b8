import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../src/processes.ts';
import { until } from '../src/until.ts';

const source = JSON.stringify(join(import.meta.dirname, '../src/postgres.ts'));

const script = `
  import { startPostgres } from ${source};
  import pg from ${JSON.stringify(import.meta.resolve('pg'))};
  const postgres = await startPostgres({ durable: false });
  const client = new pg.Client(postgres.adminUrl);
  await client.connect();
  const { rows } = await client.query("select current_setting('data_directory') as dir");
  console.log(JSON.stringify({ pid: postgres.pid, dir: rows[0].dir }));
  if (process.argv[1] === 'stop') await postgres.kill('SIGSTOP');
  console.log('ready');
`;

// A worker that vitest or the kernel kills runs no hook. Its server must be stopped nevertheless.
test.each(['run', 'stop'])(
  'a server left to %s by a killed process ends, and its directory goes',
  async (state) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, state], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await until(() => output.includes('ready'), { timeoutMs: 20_000 });
    const { pid, dir } = JSON.parse(output.slice(0, output.indexOf('\n'))) as { pid: number; dir: string };
    expect(isAlive(pid)).toBe(true);

    child.kill('SIGKILL');
    await once(child, 'close');
    await until(() => !isAlive(pid) && !existsSync(dir), {
      timeoutMs: 15_000,
      what: 'the end of the server',
    });
  },
);
