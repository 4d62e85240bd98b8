import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, types } from '@electric-sql/pglite';
import type { Row } from '../database.ts';
import { sessionSettingsSql } from '../session-settings.ts';
import {
  type EngineMessage,
  type EngineRequest,
  type EngineSetup,
  type Step,
  toPlainError,
} from './messages.ts';
import { WatchedFiles } from './watched-files.ts';

/**
 * The thread that runs PGlite. Durable here is what PGlite has written to its files; fsync is off. This thread may be
 * ended at any moment, which is to the files what a killed process is: the next open recovers them from the write-ahead
 * log.
 */

const port = parentPort!;
const setup = workerData as EngineSetup;

function post(message: EngineMessage): void {
  port.postMessage(message);
}

/**
 * Reports that PGlite cannot go on, and stops this thread for good. PGlite itself would go on: after a PANIC it answers
 * with an ordinary error, later it calls itself without end, and meanwhile it writes to its files.
 */
function reportAndStop(why: string, systemCode?: string): never {
  post({ kind: 'broken', why: `${why}${fatal}`, systemCode });
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The last reason for which Postgres gave up. PGlite's own errors do not contain it. */
let fatal = '';

function onStderr(line: string): false {
  const [, reason] = /\b(?:FATAL|PANIC): +(.*)/.exec(line) ?? [];
  if (reason !== undefined) fatal = ` (${reason})`;
  return false;
}

async function open({ directory, create, engine }: EngineSetup): Promise<PGlite> {
  const fs = directory === undefined ? undefined : await ensureCluster(directory, create, engine);
  const pglite = await PGlite.create({
    ...(fs !== undefined && { fs }),
    ...withEngine(engine),
    onStderr,
    parsers: { [types.INT8]: (text: string) => Number(text), [types.TIMESTAMPTZ]: parseTime },
  });
  await pglite.exec(sessionSettingsSql);
  return pglite;
}

function withEngine(engine: WebAssembly.Module | undefined) {
  return engine === undefined ? {} : { pgliteWasmModule: engine };
}

/**
 * Creates the directory of the cluster beside its final place and moves it there when it is complete. Otherwise a process
 * that is killed while it writes the first files would leave a directory that cannot be opened.
 */
async function ensureCluster(
  directory: string,
  create: boolean,
  engine: WebAssembly.Module | undefined,
): Promise<WatchedFiles> {
  const cluster = join(directory, 'postgres');
  if (existsSync(cluster)) {
    // Postgres refuses to start if this file is empty, as it is after a start on a full disk. The lock of the directory
    // already keeps other processes out.
    rmSync(join(cluster, 'postmaster.pid'), { force: true });
    return new WatchedFiles(cluster, reportAndStop);
  }
  if (!create) throw new Error(`${cluster} is missing`);
  const fresh = join(directory, 'postgres.new');
  rmSync(fresh, { recursive: true, force: true });
  const pglite = await PGlite.create({ fs: new WatchedFiles(fresh, reportAndStop), ...withEngine(engine) });
  await pglite.close();
  renameSync(fresh, cluster);
  // A crash before this line leaves `postgres.new`, which the next start deletes; a crash after it, a complete cluster.
  return new WatchedFiles(cluster, reportAndStop);
}

/** PGlite's own parser uses `Date`, which reads the year 1 as 2001. The session's time zone is UTC. */
function parseTime(text: string): Date {
  return new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
}

async function run(pglite: PGlite, step: Step): Promise<Row[]> {
  if ('text' in step) return (await pglite.query<Row>(step.text, [...step.values])).rows;
  if ('script' in step) return ((await pglite.exec(step.script)).at(-1)?.rows ?? []) as Row[];
  if ('copy' in step) {
    // PGlite has no connection to copy from: it reads the rows from a file in memory.
    const copy = step.copy.replace(/from stdin/i, "from '/dev/blob'");
    await pglite.query(copy, [], { blob: new Blob([step.rows]) });
    return [];
  }
  const [result] = await pglite.exec('commit');
  // PostgreSQL answers a commit with ROLLBACK when a statement had failed, even if the caller ignored its error.
  if (result!.command === 'ROLLBACK') throw new Error('a transaction that had failed was to be committed');
  // A crash from here on loses nothing: what is committed stays, whether or not the caller learns of it.
  return [];
}

async function answer(pglite: PGlite, { number, steps }: EngineRequest): Promise<void> {
  try {
    const rows: Row[][] = [];
    if (steps === 'close') await pglite.close();
    else for (const step of steps) rows.push(await run(pglite, step));
    post({ kind: 'answer', number, rows });
  } catch (error) {
    post({ kind: 'failed', number, error: toPlainError(error) });
  }
}

try {
  const pglite = await open(setup);
  post({ kind: 'opened' });
  let last = Promise.resolve();
  port.on('message', (request: EngineRequest) => {
    last = last.then(() => answer(pglite, request));
  });
} catch (error) {
  const { message, fields } = toPlainError(error);
  reportAndStop(message, fields.code);
}
