import type { Clock } from '@tallystick/sdk';
import type { Settings } from '../platform/settings.ts';

/** One task of a batch. Its answer is found by the id, whatever the order of the answers. */
export interface BatchTask<T> {
  readonly customId: string;
  readonly task: T;
}

/** The answer to a task, or the error that prevented it. */
export type BatchAnswer<R> = { readonly customId: string } & (
  | { readonly answer: R }
  | { readonly error: string }
);

/** Processes a whole batch. It may answer in any order and leave answers out. */
export type SubmitBatch<T, R> = (tasks: readonly BatchTask<T>[]) => Promise<readonly BatchAnswer<R>[]>;

/**
 * Collects tasks and submits them together: at 50 tasks, or 6 hours after the first. A batch that could not be submitted is submitted
 * again later, and a task without an answer goes into a later batch, so that no failure of a
 * submission loses a task. One batch runs at a time. Tasks are kept in memory: the caller stores them, and adds them again after a restart.
 */
export class BatchQueue<T, R> {
  readonly #submit: SubmitBatch<T, R>;
  readonly #answered: (task: BatchTask<T>, answer: R) => Promise<void>;
  readonly #settings: Settings['batch'];
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  /** Tasks that are not answered. A task stays until its answer was handled. */
  readonly #open = new Map<string, BatchTask<T>>();
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: {
    readonly submit: SubmitBatch<T, R>;
    /** Called with each answer. If it rejects, the task is submitted again. */
    readonly answered: (task: BatchTask<T>, answer: R) => Promise<void>;
    readonly settings: Settings['batch'];
    readonly clock: Clock;
    readonly onError: (error: unknown) => void;
  }) {
    this.#submit = parts.submit;
    this.#answered = parts.answered;
    this.#settings = parts.settings;
    this.#clock = parts.clock;
    this.#onError = parts.onError;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Adds a task. One with an id that is known is the same task. */
  add(task: BatchTask<T>): void {
    if (!this.#open.has(task.customId)) this.#open.set(task.customId, task);
    if (this.#open.size >= this.#settings.flushAtTasks) this.#start();
    else this.#arm(this.#settings.flushAfterMs);
  }

  /** Submits what is there. Resolves when its answers are handled. */
  async flush(): Promise<void> {
    this.#start();
    await this.#running;
  }

  /** Stops the timer. Open tasks stay open. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#open.size === 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#open.size > 0) this.#arm(this.#settings.retryMs);
    });
  }

  #arm(ms: number): void {
    if (this.#cancelTimer !== undefined || this.#running !== undefined) return;
    this.#cancelTimer = this.#clock.schedule(
      ms,
      () => {
        this.#cancelTimer = undefined;
        this.#start();
      },
      false,
    );
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const tasks = [...this.#open.values()].slice(0, this.#settings.flushAtTasks);
    let answers: readonly BatchAnswer<R>[];
    try {
      answers = await this.#submit(tasks);
    } catch (error) {
      this.#onError(error);
      return;
    }
    for (const answer of answers) {
      const task = this.#open.get(answer.customId);
      // An id that was not asked about, or a second answer to one task.
      if (task === undefined) continue;
      if ('error' in answer) {
        this.#onError(new Error(`task ${answer.customId}: ${answer.error}`));
        continue;
      }
      try {
        await this.#answered(task, answer.answer);
        this.#open.delete(answer.customId);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
