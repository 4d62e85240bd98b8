import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createDatabase, type Database } from './database.ts';
import { postgresBinaries, postgresUser, reachableTempRoot } from './postgres-binaries.ts';
import { Cluster } from './postgres-cluster.ts';
import { startWatchdog } from './watchdog.ts';

export interface PostgresOptions {
  /**
   * False turns fsync off. The server is then several times faster. Its data survives `kill -9`, but not a power cut.
   * @defaultValue true
   */
  durable?: boolean;
  /** Server settings, as in postgresql.conf. They replace the defaults. */
  settings?: Record<string, string>;
  /**
   * The directory of the cluster. A missing cluster is created, an existing one is used. `stop()` does not remove it.
   * @defaultValue a temporary directory, removed by `stop()` or when this process ends
   */
  dataDir?: string;
  /** Environment variables of the server. It does not inherit those of this process. */
  env?: Readonly<Record<string, string>>;
}

/** A real PostgreSQL, 18 or `POSTGRES_VERSION`, that belongs to this process and ends with it. */
export interface Postgres extends AsyncDisposable {
  readonly port: number;
  /** A superuser's connection to the database `postgres`. */
  readonly adminUrl: string;
  /** Process id of the postmaster. `restart()` changes it. */
  readonly pid: number;
  /** Whether the postmaster runs. It can also end by itself, for example on a full disk. */
  readonly running: boolean;
  /** What the server has logged since its last start. */
  readonly log: string;
  createDatabase(name?: string): Promise<Database>;
  /**
   * SIGKILL ends the postmaster and all backends at once. SIGSTOP freezes them, SIGCONT lets them continue; both return at once.
   * After any other signal, the promise resolves when the server has ended.
   */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the server again with the same directory and port. A running server is shut down first (fast shutdown). */
  restart(): Promise<void>;
  /** Fast shutdown; a second call does nothing. */
  stop(): Promise<void>;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const { durable = true, settings = {}, dataDir, env = {} } = options;
  const runAs = postgresUser();
  const dir = dataDir ? resolve(dataDir) : mkdtempSync(join(reachableTempRoot(runAs), 'tallystick-pg-'));
  mkdirSync(dir, { recursive: true });
  if (runAs.uid !== undefined) chownSync(dir, runAs.uid, runAs.gid!);

  const callOff = startWatchdog(dir, { signal: 'QUIT', afterwards: dataDir ? 'keep' : 'remove' });
  const cleanUp = () => {
    callOff();
    rmSync(dataDir ? join(dir, 'native') : dir, { recursive: true, force: true });
  };
  try {
    const durability = durable ? {} : { fsync: 'off', full_page_writes: 'off' };
    const cluster = new Cluster(
      dir,
      postgresBinaries(runAs, dir),
      runAs,
      { ...durability, ...settings },
      env,
    );
    await cluster.initialise();
    await cluster.start();
    return handle(cluster, cleanUp);
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function handle(cluster: Cluster, cleanUp: () => void): Postgres {
  const stop = async () => {
    await cluster.stop();
    cleanUp();
  };
  return {
    get port() {
      return cluster.port;
    },
    get adminUrl() {
      return cluster.adminUrl;
    },
    get pid() {
      return cluster.pid;
    },
    get running() {
      return cluster.running;
    },
    get log() {
      return cluster.log;
    },
    createDatabase: (name) => createDatabase(cluster.adminUrl, name),
    kill: (signal) => cluster.kill(signal),
    restart: () => cluster.restart(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
