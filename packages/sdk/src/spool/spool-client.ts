import { Worker } from 'node:worker_threads';
import { AuditError } from '../errors.ts';
import type { Answers, Envelope, Reply, Request, SpoolSetup } from './protocol.ts';

interface Pending {
  resolve(answer: never): void;
  reject(error: AuditError): void;
  readonly timer: NodeJS.Timeout;
}

/** A disk that does not answer for so long (a lost network drive, say) must not hold up delivery from memory. */
const answerTimeoutMs = 10_000;

/** The emitter's end of the spool's thread. It never keeps the process alive: who awaits an answer does. */
export class SpoolClient {
  readonly #worker: Worker | undefined;
  readonly #answerTimeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  #number = 0;
  #dead: AuditError | undefined;

  constructor(setup: SpoolSetup, timeoutMs: number = answerTimeoutMs) {
    this.#answerTimeoutMs = timeoutMs;
    try {
      this.#worker = startWorker(setup);
    } catch (cause) {
      // Threads may be forbidden, as Node's permission model does. Memory alone goes on.
      this.#die('its thread can not be started', cause);
      return;
    }
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (cause) => this.#die('its thread has failed', cause));
    this.#worker.on('exit', () => this.#die('its thread has ended'));
    // Only now: to listen for messages is to hold the process again.
    this.#worker.unref();
  }

  /** Requests are worked on in the order in which they are made. Rejects with an {@link AuditError}. */
  ask<Op extends Request['op']>(request: Extract<Request, { op: Op }>): Promise<Answers[Op]> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#die('the disk does not answer'), this.#answerTimeoutMs).unref();
      this.#pending.set(number, { resolve: resolve as (answer: never) => void, reject, timer });
      this.#worker!.postMessage({ number, request } satisfies Envelope);
    });
  }

  /** Lets the thread go. Not awaited: one that hangs in the file system can't be ended, only left behind. */
  end(): void {
    void this.#worker?.terminate();
  }

  /** Whether it has failed for good: nothing it is asked will be answered. */
  get dead(): boolean {
    return this.#dead !== undefined;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.number);
    if (pending === undefined) return;
    this.#pending.delete(reply.number);
    clearTimeout(pending.timer);
    if ('failure' in reply) {
      const { code, message } = reply.failure;
      pending.reject(new AuditError(code === 'SPOOL_LOCKED' ? code : 'SPOOL_FAILED', message, { events: 0 }));
    } else pending.resolve(reply.answer as never);
  }

  #die(why: string, cause?: unknown): void {
    this.#dead ??= new AuditError('SPOOL_FAILED', `the spool is out of use: ${why}`, { events: 0, cause });
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(this.#dead);
    }
    this.#pending.clear();
  }
}

function startWorker(setup: SpoolSetup): Worker {
  // Sources run without a build, where the file has its own ending.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  return new Worker(new URL(file, import.meta.url), {
    name: 'tallystick-spool',
    workerData: setup,
    // Deno refuses flags that it does not know; it has no such warning either.
    ...(process.versions.deno === undefined && { execArgv: ['--disable-warning=ExperimentalWarning'] }),
  });
}
