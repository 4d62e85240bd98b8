import { hashOf } from '../../platform/artifacts.ts';
import type { DurableStore } from '../../platform/durable/store.ts';

/** How long an answer is kept, ms. After that, the same request gets a new answer. */
const keptMs = 24 * 60 * 60_000;

/**
 * The answers of a service to requests of others. An answer is stored together with what it changed: after a crash of the caller, the same
 * request gets the same answer. After a crash of this process during a request, no change of the request took effect.
 */
export class KeptAnswers<T> {
  readonly #store: DurableStore;
  readonly #isFinal: (answer: T) => boolean;
  /** Requests that are being answered. Each is answered once, however many callers wait for it. */
  readonly #open = new Map<string, Promise<T>>();

  /** @param isFinal whether the same request would get the same answer later. Others are not kept. @defaultValue each would */
  constructor(store: DurableStore, isFinal: (answer: T) => boolean = () => true) {
    this.#store = store;
    this.#isFinal = isFinal;
  }

  /** The answer that is kept, or that of `answer`, which is a unit of work. */
  of(request: object, answer: () => Promise<T>): Promise<T> {
    const call = hashOf(JSON.stringify(request));
    const open = this.#open.get(call) ?? this.#answer(call, answer).finally(() => this.#open.delete(call));
    this.#open.set(call, open);
    return open;
  }

  get open(): number {
    return this.#open.size;
  }

  async #answer(call: string, answer: () => Promise<T>): Promise<T> {
    const [kept] = this.#store.query<{ answer: string }>('select answer from answers where call = ?', call);
    if (kept !== undefined) return JSON.parse(kept.answer) as T;
    return this.#store.run(async () => {
      const given = await answer();
      if (!this.#isFinal(given)) return given;
      const now = Date.now();
      this.#store.change(() => {
        this.#store.execute('delete from answers where at < ?', now - keptMs);
        this.#store.execute(
          'insert into answers (call, at, answer) values (?, ?, ?)',
          ...[call, now, JSON.stringify(given)],
        );
      });
      return given;
    });
  }
}
