import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultProxy, isStopped, startWatchdog, until } from '@tallystick/testing';
import type {
  Failpoint,
  WriterConfig,
  WriterMessage,
  WriterRequest,
  WriterStatus,
} from './writer-messages.ts';

/** How long a running process that is not frozen may take to answer, ms. */
const answerMs = 5_000;

/** A writer process that ended although the campaign had not ended it. */
export interface UnexpectedExit {
  readonly code: number | null;
  /** Whether it had reported that it was ready. A writer that can't reach its store at its start ends, and is started again. */
  readonly wasReady: boolean;
}

/** One replica: a process with its own network proxy, which is started again whenever it ends, as a supervisor does. */
export class Writer {
  readonly name: string;
  readonly proxy: FaultProxy;
  readonly unexpectedExits: UnexpectedExit[] = [];
  readonly #dir: string;
  readonly #config: () => WriterConfig;
  readonly #stopWatchdog: () => void;
  #child: ChildProcess | undefined;
  #ready = false;
  /** Set before the campaign ends the process, until it has ended. */
  #killed = false;
  #closing = false;
  #nextStart: NodeJS.Timeout | undefined;

  private constructor(name: string, dir: string, proxy: FaultProxy, config: (port: number) => WriterConfig) {
    this.name = name;
    this.proxy = proxy;
    this.#dir = join(dir, name);
    mkdirSync(this.#dir, { recursive: true });
    this.#config = () => config(proxy.port);
    // If this process ends, a frozen writer can't notice it: the watchdog kills it.
    this.#stopWatchdog = startWatchdog(this.#dir, { signal: 'KILL', afterwards: 'keep' });
  }

  /** @param config called before each start of the process, with the port at which it reaches its store */
  static async start(
    name: string,
    dir: string,
    databasePort: number,
    config: (port: number) => WriterConfig,
  ): Promise<Writer> {
    const proxy = await FaultProxy.start({ target: { host: '127.0.0.1', port: databasePort } });
    const writer = new Writer(name, dir, proxy, config);
    writer.#spawn();
    return writer;
  }

  /** Whether the process has reported that it is ready. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether the process is stopped by SIGSTOP. */
  get frozen(): boolean {
    return this.#child !== undefined && isStopped(this.#child.pid!);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  request(request: WriterRequest): void {
    // A process that is about to end does not get the request. The next one starts with a new configuration.
    if (this.#child?.connected) this.#child.send(request, () => undefined);
  }

  /** @returns undefined if the process does not run, or does not answer */
  async status(): Promise<WriterStatus | undefined> {
    const child = this.#child;
    if (!this.#ready || child === undefined || this.frozen) return undefined;
    return await new Promise((resolve) => {
      const settle = (status?: WriterStatus) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        resolve(status);
      };
      const onMessage = (message: WriterMessage) => 'status' in message && settle(message.status);
      const onExit = () => settle();
      const timer = setTimeout(settle, answerMs);
      child.on('message', onMessage).on('exit', onExit);
      this.request({ report: 'status' });
    });
  }

  /** Kills the process now. It is started again. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#killed = true;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  /** Waits until the process has killed itself at a failpoint. */
  async killAt(failpoint: Failpoint, timeoutMs: number): Promise<void> {
    const child = this.#child!;
    this.#killed = true;
    this.request({ arm: failpoint });
    await until(() => this.#child !== child, { timeoutMs, what: `${failpoint} of ${this.name}` });
  }

  /** Waits until the process has frozen itself at a failpoint, or has ended. */
  async freezeAt(failpoint: Failpoint, timeoutMs: number): Promise<void> {
    const child = this.#child;
    this.request({ arm: failpoint });
    await until(() => this.frozen || this.#child !== child, {
      timeoutMs,
      what: `${failpoint} of ${this.name}`,
    });
  }

  /** Ends the process after it has drained. It is not started again. */
  async stop(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#nextStart);
    const child = this.#child;
    if (child !== undefined) {
      const ended = once(child, 'exit');
      this.request({ stop: true });
      const killTimer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(killTimer);
    }
    this.#stopWatchdog();
    await this.proxy.close();
  }

  /** The stderr of all processes of this writer. */
  get log(): string {
    return readFileSync(join(this.#dir, 'log'), 'utf8');
  }

  #spawn(): void {
    const log = openSync(join(this.#dir, 'log'), 'a');
    const main = join(import.meta.dirname, 'writer-child.ts');
    const child = spawn(
      process.execPath,
      ['--conditions=tallystick-source', main, JSON.stringify(this.#config())],
      {
        stdio: ['ignore', log, log, 'ipc'],
        // There are hundreds of starts, and half of the time of a start is compiling the sources.
        env: { ...process.env, NODE_COMPILE_CACHE: join(this.#dir, '..', 'compiled') },
      },
    );
    closeSync(log);
    this.#child = child;
    this.#killed = false;
    writeFileSync(join(this.#dir, 'running.pid'), String(child.pid));
    child.on('message', (message: WriterMessage) => {
      if ('ready' in message) this.#ready = true;
    });
    child.once('exit', (code) => {
      if (!this.#killed && !this.#closing) this.unexpectedExits.push({ code, wasReady: this.#ready });
      this.#child = undefined;
      this.#ready = false;
      if (!this.#closing) this.#nextStart = setTimeout(() => this.#spawn(), 200);
    });
  }
}
