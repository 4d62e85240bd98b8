import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import type { Row } from '../database.ts';
import { type EngineMessage, type EngineRequest, type EngineSetup, fromPlainError } from './messages.ts';
import { storeFull } from './space-watch.ts';

/** System calls fail with these codes when there is no space: on the disk, in the quota, in the limit of file sizes. */
const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** How long PGlite may take to open: it creates a cluster, or recovers one. */
const openMs = 300_000;

interface Pending {
  readonly resolve: (rows: Row[][]) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * PGlite in a thread of its own. Whatever happens there, a WebAssembly loop without end included, this thread goes on and
 * can end the other one.
 *
 * A thread and not a process: it ends with the process however that ends, so the lock of the directory is never free while
 * something still writes to it; it starts faster; and `terminate` stops WebAssembly as surely as a signal. After it the
 * files are in the state that a killed process leaves, and the next open recovers them.
 *
 * A thread that has failed stays failed. {@link EngineKeeper} starts another one.
 */
export class EngineThread {
  /** Resolves with the reason when the thread has ended and touches no file any more. */
  readonly ended: Promise<ServerError>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastNumber = 0;
  #failure: ServerError | undefined;
  #opened = Promise.withResolvers<void>();

  private constructor(setup: EngineSetup) {
    // In development the sources run without a build, so the file is TypeScript.
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      name: 'tallystick-store',
      workerData: setup,
      // Loaders and inspectors of the application do not belong into this thread.
      execArgv: [],
    });
    this.#worker.on('message', (message: EngineMessage) => this.#onMessage(message));
    this.#worker.on('messageerror', (cause) => this.#fail(unavailable('its answer cannot be read', cause)));
    this.#worker.on('error', (cause) => this.#fail(unavailable('its thread has failed', cause)));
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(unavailable('its thread has ended'));
        resolve(this.#failure!);
      });
    });
  }

  /** @throws {ServerError} `STORE_FULL`, `STORE_UNAVAILABLE`. The thread has ended then */
  static async start(setup: EngineSetup): Promise<EngineThread> {
    const thread = new EngineThread({ ...setup, engine: await compiledEngine() });
    const timer = setTimeout(() => thread.#fail(unavailable('it did not open in time')), openMs);
    try {
      await thread.#opened.promise;
    } catch (error) {
      await thread.ended;
      throw error;
    } finally {
      clearTimeout(timer);
    }
    // An idle store does not keep the process alive.
    thread.#worker.unref();
    return thread;
  }

  /**
   * Runs steps in order, after those of earlier calls.
   *
   * @param limitMs how long the thread may be silent before it is ended
   * @throws {ServerError} when the thread has ended; otherwise what PGlite answered
   */
  call(steps: EngineRequest['steps'], limitMs: number): Promise<Row[][]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const number = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject, timer: this.#startTimer(limitMs) });
      this.#worker.ref();
      try {
        this.#worker.postMessage({ number, steps } satisfies EngineRequest);
      } catch (cause) {
        this.#take(number);
        reject(cause);
      }
    });
  }

  /** Ends the thread now. What runs on it is rejected, and what is committed stays. */
  async end(): Promise<void> {
    this.#fail(unavailable('it was closed'));
    await this.ended;
  }

  #startTimer(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      // When this process itself was frozen, all its timers are due and the answers wait behind them: read those first.
      const answered = this.#lastAnswer;
      setImmediate(() => {
        if (answered === this.#lastAnswer) this.#fail(unavailable(`it did not answer within ${limitMs} ms`));
      });
    }, limitMs);
  }

  #lastAnswer = 0;

  #onMessage(message: EngineMessage): void {
    switch (message.kind) {
      case 'opened':
        return this.#opened.resolve();
      case 'broken': {
        const { why, systemCode } = message;
        return this.#fail(fullCodes.has(systemCode ?? '') ? storeFull(why) : unavailable(why));
      }
      default: {
        this.#lastAnswer = message.number;
        const call = this.#take(message.number);
        if (message.kind === 'answer') call?.resolve(message.rows as Row[][]);
        else call?.reject(fromPlainError(message.error));
        // The time of the others starts now: they waited for this one.
        for (const { timer } of this.#pending.values()) timer.refresh();
      }
    }
  }

  #take(number: number): Pending | undefined {
    const call = this.#pending.get(number);
    clearTimeout(call?.timer);
    this.#pending.delete(number);
    if (this.#pending.size === 0) this.#worker.unref();
    return call;
  }

  #fail(error: ServerError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#opened.promise.catch(() => undefined);
    this.#opened.reject(error);
    for (const number of [...this.#pending.keys()]) this.#take(number)?.reject(error);
    void this.#worker.terminate();
  }
}

/** PGlite's WebAssembly, compiled. Owned by the process: the threads of all its stores use it, which only read it. */
let engine: Promise<WebAssembly.Module | undefined> | undefined;

/**
 * Compiles PGlite once per process. V8 keeps the code that it has optimised with the compiled module, so that a store that is opened
 * again takes 0.65 s of processor time instead of 1.5 s (twelve opens on a loaded machine, `process.cpuUsage`).
 *
 * @returns `undefined` where PGlite's file is not beside its code, as in a bundled application. The thread then finds it in PGlite's way
 */
function compiledEngine(): Promise<WebAssembly.Module | undefined> {
  engine ??= compile().catch(() => undefined);
  return engine;
}

async function compile(): Promise<WebAssembly.Module> {
  const file = new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite'));
  return await WebAssembly.compile(await readFile(file));
}

function unavailable(why: string, cause?: unknown): ServerError {
  return new ServerError('STORE_UNAVAILABLE', `the embedded store is unavailable: ${why}`, { cause });
}
