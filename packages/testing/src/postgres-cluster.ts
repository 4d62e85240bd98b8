import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { postgresVersion, type RunAs } from './postgres-binaries.ts';
import { childrenOf, isAlive, signal as sendSignal } from './processes.ts';
import { until } from './until.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_ATTEMPTS = 5;

// No PG* variable, locale or time zone of the developer may change what the server does.
const ENV = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };

const DEFAULTS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  // Shared memory is in files of the data directory, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
};

/** One data directory and the postmaster that runs on it. In `dir`: data/, password, postgres.log, running.pid. */
export class Cluster {
  readonly #dir: string;
  readonly #bin: string;
  readonly #runAs: RunAs;
  readonly #settings: Record<string, string>;
  readonly #env: Readonly<Record<string, string>>;
  #port: number | undefined;
  #password = '';
  // Set by #spawn, cleared when the process exits.
  #postmaster: ChildProcess | undefined;
  #pid = 0;

  constructor(
    dir: string,
    bin: string,
    runAs: RunAs,
    settings: Record<string, string>,
    env: Readonly<Record<string, string>>,
  ) {
    this.#dir = dir;
    this.#bin = bin;
    this.#runAs = runAs;
    this.#settings = { ...DEFAULTS, ...settings };
    this.#env = { ...ENV, ...env };
  }

  get port(): number {
    return this.#port!;
  }

  get pid(): number {
    return this.#pid;
  }

  get running(): boolean {
    return this.#postmaster !== undefined;
  }

  get log(): string {
    return readFileSync(join(this.#dir, 'postgres.log'), 'utf8');
  }

  get adminUrl(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/postgres`;
  }

  /** Creates the cluster, unless it exists. */
  async initialise(): Promise<void> {
    const passwordFile = join(this.#dir, 'password');
    if (existsSync(join(this.#dir, 'data', 'PG_VERSION'))) {
      this.#password = readFileSync(passwordFile, 'utf8');
      return;
    }
    // Every user of the machine can connect to loopback, so the password is a real one.
    this.#password = randomBytes(16).toString('hex');
    writeFileSync(passwordFile, this.#password, { mode: 0o600 });
    if (this.#runAs.uid !== undefined) chownSync(passwordFile, this.#runAs.uid, this.#runAs.gid!);
    await promisify(execFile)(
      join(this.#bin, 'initdb'),
      [
        ...[
          '-D',
          join(this.#dir, 'data'),
          '-U',
          'postgres',
          '-A',
          'scram-sha-256',
          `--pwfile=${passwordFile}`,
        ],
        ...['-E', 'UTF8', '--locale=C'],
        // PostgreSQL 17 brought this provider.
        ...(postgresVersion() >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
        ...['--no-sync', '--no-instructions'],
      ],
      { ...this.#runAs, cwd: '/', env: ENV },
    );
  }

  async start(): Promise<void> {
    const port = this.#port;
    for (let attempt = 1; ; attempt++) {
      this.#port = port ?? (await freePort());
      try {
        return await this.#spawn();
      } catch (error) {
        // Another process took the port after it was chosen. Only the first start may choose another port.
        const taken = String(error).includes('could not bind');
        if (!taken || port !== undefined || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Fast shutdown. A server that does not end in time is killed. */
  async stop(): Promise<void> {
    if (!this.#postmaster) return;
    sendSignal(this.#pid, 'SIGINT');
    for (const pid of [this.#pid, ...childrenOf(this.#pid)]) sendSignal(pid, 'SIGCONT');
    try {
      await this.#gone();
    } catch {
      await this.kill('SIGKILL');
    }
  }

  async kill(name: NodeJS.Signals): Promise<void> {
    if (!this.#postmaster) return;
    if (name === 'SIGSTOP' || name === 'SIGCONT') {
      // The postmaster comes first: otherwise it could fork a backend that does not get the signal.
      sendSignal(this.#pid, name);
      for (const pid of childrenOf(this.#pid)) sendSignal(pid, name);
      return;
    }
    if (name !== 'SIGKILL') {
      sendSignal(this.#pid, name);
      await this.#gone();
      return;
    }
    // The postmaster is stopped first: otherwise it could fork a backend after its children were listed.
    sendSignal(this.#pid, 'SIGSTOP');
    const children = childrenOf(this.#pid);
    for (const pid of [this.#pid, ...children]) sendSignal(pid, 'SIGKILL');
    await this.#gone();
    await until(() => !children.some(isAlive), {
      timeoutMs: STOP_TIMEOUT_MS,
      what: 'the end of all backends',
    });
  }

  async #spawn(): Promise<void> {
    const log = openSync(join(this.#dir, 'postgres.log'), 'w');
    const settings = Object.entries({ ...this.#settings, port: String(this.#port) });
    const child = spawn(
      join(this.#bin, 'postgres'),
      ['-D', join(this.#dir, 'data'), ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      { ...this.#runAs, cwd: '/', env: this.#env, stdio: ['ignore', log, log], detached: true },
    );
    closeSync(log);
    const pidFile = join(this.#dir, 'running.pid');
    child.once('exit', () => {
      rmSync(pidFile, { force: true });
      this.#postmaster = undefined;
    });
    child.unref();
    await once(child, 'spawn');
    this.#postmaster = child;
    this.#pid = child.pid!;
    writeFileSync(pidFile, String(child.pid));
    await this.#ready(child);
  }

  async #ready(child: ChildProcess): Promise<void> {
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    const timeout = { timeoutMs: START_TIMEOUT_MS, what: `the start of PostgreSQL in ${this.#dir}` };
    await until(() => ended() || this.#saysReady(), timeout);
    if (ended()) {
      const log = readFileSync(join(this.#dir, 'postgres.log'), 'utf8');
      throw new Error(`PostgreSQL ended at its start:\n${log.slice(-2_000)}`);
    }
  }

  /** The sign that pg_ctl waits for too: the server writes `ready` into the eighth line of its pid file. */
  #saysReady(): boolean {
    const lines = readFileSync(join(this.#dir, 'data', 'postmaster.pid'), 'utf8').split('\n');
    // After a crash, the file of the dead server is there until the new server writes its own.
    return lines[0] === String(this.#pid) && lines[7]?.trim() === 'ready';
  }

  #gone(): Promise<boolean> {
    const what = `the end of PostgreSQL ${this.#pid}`;
    return until(() => this.#postmaster === undefined, { timeoutMs: STOP_TIMEOUT_MS, what });
  }
}
