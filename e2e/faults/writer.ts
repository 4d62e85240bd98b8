import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultProxy, isStopped, startWatchdog, until } from '@tallystick/testing';
import type { Failpoint, FromWriter, ToWriter, WriterOrders, WriterStatus } from './writer-messages.ts';

/** How long a process that lives and is not frozen may take to answer, ms. */
const answerMs = 5_000;

/** A start of a writer that ended without being asked to. */
export interface Death {
  readonly code: number | null;
  /** Whether it had joined before: one that can't reach its store at its start ends, to be started again. */
  readonly wasReady: boolean;
}

/** One replica: a process that is started again whenever it ends, as a supervisor would, behind a network of its own. */
export class Writer {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** Ends that nobody asked for. */
  readonly deaths: Death[] = [];
  readonly #dir: string;
  readonly #orders: () => WriterOrders;
  readonly #callOff: () => void;
  #child: ChildProcess | undefined;
  #ready = false;
  /** Set by whoever sends a signal that ends it, until it has ended. */
  #killed = false;
  #closing = false;
  #nextStart: NodeJS.Timeout | undefined;

  private constructor(name: string, dir: string, proxy: FaultProxy, orders: (port: number) => WriterOrders) {
    this.name = name;
    this.proxy = proxy;
    this.#dir = join(dir, name);
    mkdirSync(this.#dir, { recursive: true });
    this.#orders = () => orders(proxy.port);
    // It may be frozen when this process ends, and could not notice.
    this.#callOff = startWatchdog(this.#dir, { signal: 'KILL', afterwards: 'keep' });
  }

  /** @param orders made anew for each start of the process, which reaches its store at this port */
  static async start(
    name: string,
    dir: string,
    databasePort: number,
    orders: (port: number) => WriterOrders,
  ): Promise<Writer> {
    const proxy = await FaultProxy.start({ target: { host: '127.0.0.1', port: databasePort } });
    const writer = new Writer(name, dir, proxy, orders);
    writer.#spawn();
    return writer;
  }

  /** It runs, has joined, and is not frozen. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether the kernel holds it: a failpoint that froze it was reached. */
  get frozen(): boolean {
    return this.#child !== undefined && isStopped(this.#child.pid!);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  tell(message: ToWriter): void {
    // One that is about to end does not take it; its successor starts from fresh orders.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** @returns undefined for one that does not run, or does not answer */
  async status(): Promise<WriterStatus | undefined> {
    const child = this.#child;
    if (!this.#ready || child === undefined || this.frozen) return undefined;
    return await new Promise((resolve) => {
      const settle = (status?: WriterStatus) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        resolve(status);
      };
      const onMessage = (message: FromWriter) => 'status' in message && settle(message.status);
      const onExit = () => settle();
      const timer = setTimeout(settle, answerMs);
      child.on('message', onMessage).on('exit', onExit);
      this.tell({ tell: 'status' });
    });
  }

  /** SIGKILL, as of now; the supervisor starts it again. */
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

  /** Tells it where to die, and waits until it has. */
  async dieAt(failpoint: Failpoint, timeoutMs: number): Promise<void> {
    const child = this.#child!;
    this.#killed = true;
    this.tell({ arm: failpoint });
    await until(() => this.#child !== child, { timeoutMs, what: `${failpoint} of ${this.name}` });
  }

  /** Tells it where to freeze, and waits until it has, or has ended before. */
  async freezeAt(failpoint: Failpoint, timeoutMs: number): Promise<void> {
    const child = this.#child;
    this.tell({ arm: failpoint });
    await until(() => this.frozen || this.#child !== child, {
      timeoutMs,
      what: `${failpoint} of ${this.name}`,
    });
  }

  /** Leaves in peace: drains, and is not started again. */
  async stop(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#nextStart);
    const child = this.#child;
    if (child !== undefined) {
      const ended = once(child, 'exit');
      this.tell({ stop: true });
      const hard = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(hard);
    }
    this.#callOff();
    await this.proxy.close();
  }

  /** What it said on stderr, over all its starts. */
  get log(): string {
    return readFileSync(join(this.#dir, 'log'), 'utf8');
  }

  #spawn(): void {
    const log = openSync(join(this.#dir, 'log'), 'a');
    const main = join(import.meta.dirname, 'writer-child.ts');
    const child = spawn(
      process.execPath,
      ['--conditions=tallystick-source', main, JSON.stringify(this.#orders())],
      {
        stdio: ['ignore', log, log, 'ipc'],
        // Half of what a start costs is reading the sources, and there are hundreds of starts.
        env: { ...process.env, NODE_COMPILE_CACHE: join(this.#dir, '..', 'compiled') },
      },
    );
    closeSync(log);
    this.#child = child;
    this.#killed = false;
    writeFileSync(join(this.#dir, 'running.pid'), String(child.pid));
    child.on('message', (message: FromWriter) => {
      if ('ready' in message) this.#ready = true;
    });
    child.once('exit', (code) => {
      if (!this.#killed && !this.#closing) this.deaths.push({ code, wasReady: this.#ready });
      this.#child = undefined;
      this.#ready = false;
      if (!this.#closing) this.#nextStart = setTimeout(() => this.#spawn(), 200);
    });
  }
}
