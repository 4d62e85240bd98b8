import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PgliteDatabase } from '@tallystick/server/store';
import { FullDisk, prepareEmbeddedStore, smallDisk, tempDir, until } from '@tallystick/testing';
import { expect, type TestContext, test } from 'vitest';
import type { Progress } from './embedded-app.ts';

const logName = 'audit.full';
const tenantId = 'tenant-full';

// A full disk once hung the application with the embedded store for good: PGlite called itself without end in the
// application's thread, so that neither /health nor SIGTERM was answered.

test('an application goes on when a program takes the last space: events wait, and are stored when there is space', {
  timeout: 240_000,
}, async (context) => {
  using dir = tempDir();
  const directory = join(dir.path, 'data');
  const disk = FullDisk.create(dir.path, directory) ?? skipWithout(context, 'C compiler');
  await outlive(directory, disk.env, { fill: () => disk.fill({ seen: false }), empty: () => disk.empty() });
});

test('an application goes on when the file system reports that it is nearly full: reads work, and writes wait', {
  timeout: 240_000,
}, async (context) => {
  using dir = tempDir();
  const directory = join(dir.path, 'data');
  const disk = FullDisk.create(dir.path, directory) ?? skipWithout(context, 'C compiler');
  const { readsWhileFull } = await outlive(directory, disk.env, {
    fill: () => disk.fill({ seen: true }),
    empty: () => disk.empty(),
  });
  expect(readsWhileFull).toBe(true);
});

test('an application goes on when a real file system is full', { timeout: 240_000 }, async (context) => {
  using disk = smallDisk(512 * 1024 * 1024) ?? skipWithout(context, 'right to mount');
  await outlive(join(disk.path, 'data'), {}, { fill: () => disk.fill(0), empty: () => disk.empty() });
});

async function outlive(
  directory: string,
  env: Readonly<Record<string, string>>,
  disk: { fill(): void; empty(): void },
): Promise<{ readsWhileFull: boolean }> {
  await prepareEmbeddedStore(directory);
  const app = new App(directory, env);
  try {
    await app.sees(({ delivered }) => delivered > 100);
    disk.fill();
    const full = await app.sees(({ error }) => error.includes('the embedded store is full'));
    const later = await app.sees(({ turns, error }) => turns > full.turns + 50 && error !== '');
    disk.empty();
    await app.sees(({ delivered }) => delivered > later.delivered + 100);
    const report = await app.stop();
    expect(report).toMatchObject({ dropped: 0, rejected: 0, pending: 0, unconfirmed: 0 });
    expect(report.delivered).toBe(report.emitted);

    const database = await PgliteDatabase.open(directory);
    const [stored] = await database.asOwner((session) =>
      session.query<{ events: number; last: number; distinct: number; links: number }>(
        `select count(*) filter (where event_type = 'a.b') as events, max(sequence_number) as last,
                count(distinct audit_id) filter (where event_type = 'a.b') as "distinct",
                count(*) filter (where previous_hash = before) as links
           from (select *, lag(record_hash) over (order by sequence_number) as before
                   from audit_records where tenant_id = $1) records`,
        [tenantId],
      ),
    );
    await database.close();
    expect(stored).toMatchObject({ events: report.emitted, distinct: report.emitted, links: stored!.last });
    return { readsWhileFull: later.reads };
  } finally {
    app.kill();
  }
}

interface Report {
  readonly emitted: number;
  readonly delivered: number;
}

/** A process with embedded-app.ts. */
class App {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #last: Progress | Report | undefined;

  constructor(directory: string, env: Readonly<Record<string, string>>) {
    const main = join(import.meta.dirname, 'embedded-app.ts');
    const parameters = ['--conditions=tallystick-source', main, directory, logName, tenantId];
    this.#child = spawn(process.execPath, parameters, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit');
    createInterface(this.#child.stdout!).on('line', (line) => {
      this.#last = JSON.parse(line);
    });
  }

  /** Waits until the application prints such progress. */
  async sees(condition: (progress: Progress) => boolean): Promise<Progress> {
    let seen: Progress | undefined;
    await until(
      () => {
        if (this.#child.exitCode !== null) throw new Error(`the application ended: ${this.#child.exitCode}`);
        seen = this.#last as Progress | undefined;
        return seen !== undefined && condition(seen);
      },
      { timeoutMs: 100_000, intervalMs: 10, what: `progress ${condition}` },
    );
    return seen!;
  }

  /** Sends SIGTERM. @returns the report of `close` */
  async stop(): Promise<Report> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#last as Report;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function skipWithout({ task, skip }: TestContext, part: string): never {
  if (process.env.REQUIRE_ALL === '1') throw new Error(`REQUIRE_ALL=1, but this machine has no ${part}`);
  console.warn(`\n*** NOT RUN: "${task.name}": this machine has no ${part}. ***\n`);
  return skip(part);
}
