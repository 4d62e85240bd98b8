import type pg from 'pg';

/**
 * Ends a connection whose server has fallen silent. A network that drops packets and a server that is frozen say nothing,
 * and TCP alone would wait a quarter of an hour. The `pg` client's own `query_timeout` only stops waiting: it leaves the
 * statement running and its connection in the pool.
 *
 * Ending it fails what runs on the connection at once. A crash loses nothing here: nothing is kept.
 */
export class AnswerWatch {
  readonly #client: pg.ClientBase;
  #limitMs = 0;
  /** How long the timer that runs was set for, ms. */
  #setMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #due = false;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /**
   * Waits for an answer as long as none, nor {@link progressed}, is missing for `limitMs`.
   *
   * @param firstMs how long the first sign of life may take
   */
  async wait<T>(limitMs: number, answer: Promise<T>, firstMs = limitMs): Promise<T> {
    this.#limitMs = limitMs;
    this.#start(firstMs);
    try {
      return await answer;
    } finally {
      clearTimeout(this.#timer);
      this.#due = false;
    }
  }

  /** The server has done something of what it was sent, or taken more: the wait begins anew. */
  progressed(): void {
    this.#due = false;
    if (this.#setMs === this.#limitMs) {
      this.#timer?.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#start(this.#limitMs);
  }

  #start(limitMs: number): void {
    this.#setMs = limitMs;
    this.#timer = setTimeout(() => {
      this.#due = true;
      // A process that was itself frozen finds all its timers due, and the answers waiting: those are read first.
      setImmediate(() => this.#due && this.#end(limitMs));
    }, limitMs);
  }

  #end(limitMs: number): void {
    const { connection } = this.#client as pg.ClientBase & { readonly connection: pg.Connection };
    const message = `the store did not answer within ${limitMs} ms`;
    connection.stream.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  }
}
