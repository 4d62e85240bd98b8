import type pg from 'pg';
import { socketOf } from './wire-protocol.ts';

/**
 * Ends a connection whose server has stopped answering. A network that drops packets and a server that is frozen send
 * nothing, not even an error, and TCP alone would wait for a quarter of an hour. The `query_timeout` of the `pg` client
 * only stops waiting: it leaves the statement running and its connection in the pool.
 *
 * Ending the connection fails everything that runs on it at once. A crash loses nothing here: nothing is kept.
 */
export class ResponseWatchdog {
  readonly #client: pg.ClientBase;
  #limitMs = 0;
  /** What the running timer was set to, ms. */
  #setMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The time is over, and the answers that may be waiting in the socket have not been read yet. */
  #isDue = false;

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /**
   * Waits for an answer, and ends the connection when `limitMs` pass without the answer or a call of
   * {@link progressed}.
   *
   * @param firstMs the limit until the first call of {@link progressed}
   */
  async wait<T>(limitMs: number, answer: Promise<T>, firstMs = limitMs): Promise<T> {
    this.#limitMs = limitMs;
    this.#start(firstMs);
    try {
      return await answer;
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#isDue = false;
    }
  }

  /** The server has completed a part of its work or has taken more data: the time starts again. */
  progressed(): void {
    if (this.#timer === undefined) return;
    this.#isDue = false;
    if (this.#setMs === this.#limitMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#start(this.#limitMs);
  }

  #start(limitMs: number): void {
    this.#setMs = limitMs;
    this.#timer = setTimeout(() => {
      this.#isDue = true;
      // When this process itself was frozen, all its timers are due and the answers lie in the socket: read those first.
      setImmediate(() => this.#isDue && this.#endConnection(limitMs));
    }, limitMs);
  }

  #endConnection(limitMs: number): void {
    const error = new Error(`the store did not answer within ${limitMs} ms`);
    socketOf(this.#client).destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  }
}
