import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that ends so often before it works has a fault that a restart does not repair. */
const maxFailedStarts = 5;
const backoff = { firstMs: 100, maxMs: 5_000 };
/** As much of what a process wrote last is part of the error if it can't start. */
const keptOutput = 4_000;

export interface SupervisedOptions {
  readonly name: string;
  /** The program, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A process that does not end within this time after SIGTERM gets SIGKILL, ms. */
  readonly stopMs: number;
  /** Called with what the process writes. */
  readonly onOutput: (text: string) => void;
  /** Called when the process ended and is started again. */
  readonly onRestart: (how: string) => void;
}

/** Keeps one program running: when its process ends, it is started again. */
export class SupervisedProcess {
  readonly #options: SupervisedOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #isReady = false;
  #running: Promise<void> | undefined;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  /** Process id; `undefined` while no process runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the program. It says that it works with the message `ready`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the process works. @throws {Error} if it ended five times before it did */
  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isReady) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Sends a signal to the process that runs now. Resolves when it has ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /**
   * Ends the process with SIGTERM, and does not start it again.
   *
   * @returns its exit code, or the signal that ended it; `undefined` if it did not run
   */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    this.#stopping.abort();
    for (const { reject } of this.#waiting.splice(0))
      reject(new Error(`${this.#options.name} is stopped before it works`));
    const child = this.#child;
    if (child === undefined) {
      await this.#running;
      return undefined;
    }
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopMs);
    const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    await this.#running;
    return code ?? signal ?? undefined;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const { wasReady, how, output } = await this.#runOnce();
      if (signal.aborted) return;
      failures = wasReady ? 0 : failures + 1;
      if (failures >= maxFailedStarts) return this.#giveUp(how, output);
      this.#options.onRestart(how);
      const ms = Math.min(backoff.maxMs, backoff.firstMs * 2 ** failures);
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  async #runOnce() {
    const { program, args, env, onOutput } = this.#options;
    const child = fork(program, [...args], {
      env,
      execArgv: ['--conditions=tallystick-source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-keptOutput);
        onOutput(text);
      });
    }
    child.on('message', (said) => {
      if (said !== 'ready') return;
      this.#isReady = true;
      for (const { resolve } of this.#waiting.splice(0)) resolve();
    });
    const how = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#child = undefined;
    return { wasReady, how, output };
  }

  #giveUp(how: string, output: string): void {
    const { name } = this.#options;
    this.#failure = new Error(
      `${name} could not be started (${how}): ${output.trim() || 'it wrote nothing'}`,
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
