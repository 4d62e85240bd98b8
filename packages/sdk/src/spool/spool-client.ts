import { Worker } from 'node:worker_threads';
import { AuditError } from '../errors.ts';
import type {
  Request,
  RequestMessage,
  RequestOf,
  ResponseMessage,
  Responses,
  SpoolSetup,
} from './requests.ts';

interface PendingRequest {
  resolve(response: never): void;
  reject(error: AuditError): void;
  readonly timer: NodeJS.Timeout;
}

/** If the disk takes longer (for example a network drive that was lost), delivery continues from memory. */
const responseTimeoutMs = 10_000;

/**
 * Starts the spool's thread and sends requests to it. Owned by the emitter's thread. The spool's thread does not keep the
 * process alive; a caller that must wait for a response keeps it alive with a timer.
 */
export class SpoolClient {
  readonly #worker: Worker | undefined;
  readonly #responseTimeoutMs: number;
  readonly #pending = new Map<number, PendingRequest>();
  #number = 0;
  /** Set when the thread can't be used any more. */
  #failure: AuditError | undefined;

  constructor(setup: SpoolSetup, timeoutMs: number = responseTimeoutMs) {
    this.#responseTimeoutMs = timeoutMs;
    try {
      this.#worker = startWorker(setup);
    } catch (cause) {
      // Node's permission model can forbid threads.
      this.#fail("its thread can't be started", cause);
      return;
    }
    this.#worker.on('message', (message: ResponseMessage) => this.#settle(message));
    this.#worker.on('error', (cause) => this.#fail('its thread has failed', cause));
    this.#worker.on('exit', () => this.#fail('its thread has ended'));
    // Must come last: adding a 'message' listener makes the thread keep the process alive again.
    this.#worker.unref();
  }

  /** Requests are processed in the order of the calls. Rejects with an {@link AuditError}. */
  request<Op extends Request['op']>(request: RequestOf<Op>): Promise<Responses[Op]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail('the disk does not respond'),
        this.#responseTimeoutMs,
      ).unref();
      this.#pending.set(number, { resolve: resolve as (response: never) => void, reject, timer });
      this.#worker!.postMessage({ number, request } satisfies RequestMessage);
    });
  }

  /**
   * Sends requests and blocks this thread until the last one is processed, for a process that is about to end. Their results are
   * lost.
   */
  requestNow(requests: readonly Request[], timeoutMs: number): void {
    if (this.#failure !== undefined) return;
    const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    for (const [index, request] of requests.entries()) {
      const message: RequestMessage = { number: ++this.#number, request };
      this.#worker!.postMessage(index === requests.length - 1 ? { ...message, done } : message);
    }
    Atomics.wait(done, 0, 0, timeoutMs);
  }

  /** Ends the thread. Not awaited: a thread that hangs in the file system can't be ended. */
  end(): void {
    void this.#worker?.terminate();
  }

  /** Whether all further requests will fail. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  #settle(message: ResponseMessage): void {
    const pending = this.#pending.get(message.number);
    if (pending === undefined) return;
    this.#pending.delete(message.number);
    clearTimeout(pending.timer);
    if ('failure' in message) {
      const { code, message: text } = message.failure;
      pending.reject(new AuditError(code === 'SPOOL_LOCKED' ? code : 'SPOOL_FAILED', text, { events: 0 }));
    } else pending.resolve(message.response as never);
  }

  #fail(why: string, cause?: unknown): void {
    const message = `the spool can't be used: ${why}`;
    this.#failure ??= new AuditError('SPOOL_FAILED', message, { events: 0, cause });
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(this.#failure);
    }
    this.#pending.clear();
  }
}

function startWorker(setup: SpoolSetup): Worker {
  // In development the sources run without a build, so the file is TypeScript.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
  return new Worker(new URL(file, import.meta.url), {
    name: 'tallystick-spool',
    workerData: setup,
    // Suppresses Node's warning about node:sqlite. Deno has no such warning and refuses unknown flags.
    ...(process.versions.deno === undefined && {
      execArgv: ['--disable-warning=ExperimentalWarning', ...conditions()],
    }),
  });
}

/** The export conditions of this process. A thread with options of its own does not inherit them, and would load other files. */
function conditions(): readonly string[] {
  return process.execArgv.filter((option) => option.startsWith('--conditions='));
}
