import type { ServerResponse } from 'node:http';
import { HttpProblem } from '../problems.ts';

/**
 * Bounds the requests that read many records: verifications and exports. Each takes the database's and the processor's time from
 * all tenants, so the service runs a few at once, and fewer of one key.
 */
export class LongRequests {
  readonly #max: number;
  readonly #maxPerKey: number;
  /** The key of each response that is not finished. Owned by this object. */
  readonly #running = new Map<ServerResponse, string>();

  constructor(max: number, maxPerKey: number) {
    this.#max = max;
    this.#maxPerKey = maxPerKey;
  }

  /**
   * Counts a request until its response closes.
   *
   * @throws {HttpProblem} `OVERLOADED`
   */
  begin(response: ServerResponse, key: string): void {
    const own = [...this.#running.values()].filter((other) => other === key).length;
    if (own >= this.#maxPerKey || this.#running.size >= this.#max) {
      const message = `at most ${this.#maxPerKey} verifications and exports of a key, and ${this.#max} of all keys, may run at once`;
      throw new HttpProblem('OVERLOADED', message, { headers: { 'retry-after': '2' } });
    }
    if (response.destroyed) return;
    this.#running.set(response, key);
    response.once('close', () => this.#running.delete(response));
  }
}
