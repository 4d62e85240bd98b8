import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../../errors.ts';
import { backoffMs } from '../../timing/backoff.ts';
import { EngineThread } from './engine-thread.ts';
import type { SpaceWatch } from './space-watch.ts';

/** Pauses between two attempts to open the store again. */
const reopenBackoff = { baseMs: 500, maxMs: 5_000 };

/** What the keeper knows of its thread. Only {@link EngineKeeper} changes it. */
type State =
  | { readonly name: 'open'; readonly thread: EngineThread }
  /** The thread has failed. Another one is started as soon as that can succeed. */
  | { readonly name: 'down'; readonly reason: ServerError }
  | { readonly name: 'closed' };

/**
 * Keeps PGlite running. When its thread fails, everything is refused with the reason until another thread has recovered
 * the files: the application needs no restart.
 */
export class EngineKeeper {
  readonly #directory: string | undefined;
  readonly #space: SpaceWatch;
  readonly #closing = new AbortController();
  #state: State;
  #reopening: Promise<void> = Promise.resolve();

  private constructor(directory: string | undefined, space: SpaceWatch, thread: EngineThread) {
    this.#directory = directory;
    this.#space = space;
    this.#state = { name: 'open', thread };
    this.#watch(thread);
  }

  /** @throws {ServerError} `STORE_FULL`, `STORE_UNAVAILABLE` */
  static async open(directory: string | undefined, space: SpaceWatch): Promise<EngineKeeper> {
    return new EngineKeeper(directory, space, await EngineThread.start({ directory, create: true }));
  }

  /** @throws {ServerError} why there is none now */
  get thread(): EngineThread {
    if (this.#state.name === 'open') return this.#state.thread;
    if (this.#state.name === 'down') throw this.#state.reason;
    throw new ServerError('CLOSING', 'the embedded store is closed');
  }

  /** @throws {ServerError} as {@link thread} */
  assertRunning(): void {
    void this.thread;
  }

  /** Closes PGlite, which makes a last checkpoint. A crash here, or a failure, costs the next open a recovery. */
  async close(limitMs: number): Promise<void> {
    const state = this.#state;
    this.#state = { name: 'closed' };
    this.#closing.abort();
    await this.#reopening;
    if (state.name !== 'open') return;
    await state.thread.call('close', limitMs).catch(() => undefined);
    await state.thread.end();
  }

  #watch(thread: EngineThread): void {
    void thread.ended.then((reason) => {
      if (this.#state.name === 'closed') return;
      this.#state = { name: 'down', reason };
      this.#reopening = this.#reopen();
    });
  }

  /** In memory there is nothing to recover: the store stays down. */
  async #reopen(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; this.#directory !== undefined; attempt++) {
      await delay(backoffMs(attempt, reopenBackoff), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
      if (signal.aborted) return;
      try {
        // Recovery starts with no page in memory, and needs what any write needs.
        this.#space.checkpointed();
        await this.#space.assertRoomFor(0);
        // Not a new cluster: without the one that failed, the trail would start again.
        const thread = await EngineThread.start({ directory: this.#directory, create: false });
        if (signal.aborted) return await thread.end();
        this.#state = { name: 'open', thread };
        return this.#watch(thread);
      } catch (error) {
        if (!signal.aborted) this.#state = { name: 'down', reason: error as ServerError };
      }
    }
  }
}
