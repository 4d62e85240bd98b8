import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, tempDir } from '@tallystick/testing';
import { buildStore } from './query/build-store.ts';
import { benchTenant } from './query/made-events.ts';
import type { QueryOptions } from './query.ts';
import type { Result } from './result.ts';

const months = 3;
/**
 * Most memory of the old generation, MB. Node frees memory late where it may have more, so a peak without a limit says little.
 */
const heapMb = 64;
/** Peaks vary by some tens of MB from run to run. 500 bytes for each record would be 1.5 times as much at 200,000 records. */
const mostGrowth = 1.4;
const nodeOptions = ['--conditions=tallystick-source', `--max-old-space-size=${heapMb}`];
const polledMs = 20;

/** Peaks of the memory of both sides of one export, MB. */
interface Peaks {
  readonly client: number;
  readonly server: number;
}

/** How much memory `tally export --evidence` and the service need for many records, beside a tenth of them. Linux only. */
export async function run({ rows = 200_000, data }: QueryOptions = {}): Promise<Result[]> {
  using directory = tempDir();
  const postgres = await startPostgres({ durable: false, dataDir: data ?? join(directory.path, 'store') });
  try {
    const few = await exported(postgres, Math.floor(rows / 10));
    const many = await exported(postgres, rows);
    return (['client', 'server'] as const).map((side) => {
      const ratio = Number((many[side] / few[side]).toFixed(2));
      return {
        name: `export: peak memory of the ${side}, ${rows} records with evidence`,
        value: many[side],
        unit: 'MB',
        baseline: few[side],
        ratio,
        goal: `≤ ${mostGrowth} × that of a tenth of the records`,
        pass: ratio <= mostGrowth,
      };
    });
  } finally {
    await postgres.stop();
  }
}

async function exported(postgres: Awaited<ReturnType<typeof startPostgres>>, rows: number): Promise<Peaks> {
  using directory = tempDir();
  const store = await buildStore(postgres, `e${rows}x${months}`, { rows, months });
  const server = fork(new URL('query/page-server.ts', import.meta.url), [store.url, directory.path], {
    execArgv: nodeOptions,
  });
  const [{ url, key }] = (await once(server, 'message')) as [{ url: string; key: string }];
  const program = new URL('tally.ts', import.meta.url).pathname;
  const file = join(directory.path, 'events.zip');
  const began = performance.now();
  const client = spawn(
    process.execPath,
    [...nodeOptions, program, 'export', '--format', 'csv', '--evidence', file],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        XDG_CONFIG_HOME: directory.path,
        TALLYSTICK_URL: url,
        TALLYSTICK_API_KEY: key,
        TALLYSTICK_TENANT: benchTenant,
      },
    },
  );
  let peak = 0;
  const polling = setInterval(() => {
    peak = Math.max(peak, peakOf(client.pid!));
  }, polledMs);
  const [exitCode] = await once(client, 'exit');
  clearInterval(polling);
  const ofServer = peakOf(server.pid!);
  server.kill('SIGTERM');
  await once(server, 'exit');
  if (exitCode !== 0) throw new Error(`tally export ended with ${exitCode}`);
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${rows} records: ${seconds} s, a zip of ${Math.round(statSync(file).size / 1e6)} MB`);
  return { client: peak, server: ofServer };
}

/** The peak of the resident memory of a process, MB; 0 if it has ended. */
function peakOf(pid: number): number {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return 0;
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(file, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}
