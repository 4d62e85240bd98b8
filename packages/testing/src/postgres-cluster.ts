import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import type { RunAs } from './postgres-binaries.ts';
import { childrenOf, isAlive, signal as sendSignal } from './processes.ts';
import { until } from './until.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_ATTEMPTS = 5;

// No PG* variable, locale or time zone of whoever runs the tests may change what the server does.
const ENV = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };

const DEFAULTS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  // Files in the data directory, so that a killed server leaves nothing behind in /dev/shm.
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
  // Set by #spawn, cleared by the process's own exit event.
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

  /** Leaves an existing cluster as it is. */
  async initialise(): Promise<void> {
    const passwordFile = join(this.#dir, 'password');
    if (existsSync(join(this.#dir, 'data', 'PG_VERSION'))) {
      this.#password = readFileSync(passwordFile, 'utf8');
      return;
    }
    // Loopback is open to every user of the machine, hence a real password even here.
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
        ...['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
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
        // Somebody took the port between the look and the start; only the first start may choose another.
        const taken = String(error).includes('could not bind');
        if (!taken || port !== undefined || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Fast shutdown, or the hard way for a server that doesn't follow. */
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
      // The postmaster first, so that it can't fork a backend that is missed.
      sendSignal(this.#pid, name);
      for (const pid of childrenOf(this.#pid)) sendSignal(pid, name);
      return;
    }
    if (name !== 'SIGKILL') {
      sendSignal(this.#pid, name);
      await this.#gone();
      return;
    }
    // Stopped first, so that it can't fork a backend between the look at its children and their end.
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

  /** What pg_ctl waits for: the server's own word, in its pid file's eighth line. */
  #saysReady(): boolean {
    const lines = readFileSync(join(this.#dir, 'data', 'postmaster.pid'), 'utf8').split('\n');
    // After a crash the file is the dead server's until the new one has written its own.
    return lines[0] === String(this.#pid) && lines[7]?.trim() === 'ready';
  }

  #gone(): Promise<boolean> {
    const what = `the end of PostgreSQL ${this.#pid}`;
    return until(() => this.#postmaster === undefined, { timeoutMs: STOP_TIMEOUT_MS, what });
  }
}
