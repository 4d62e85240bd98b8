import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { HttpProblem } from './problem.ts';

/** The live streams of an app: bounded in number, and ended when the app closes. */
export class Streams {
  readonly #max: number;
  /** Owned by this object: one for each stream that is open. */
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Takes a place for a stream that lives as long as its response.
   *
   * @throws {HttpProblem} `TOO_MANY_STREAMS`, `CLOSING`
   */
  open(response: ServerResponse): AbortController {
    if (this.#closed) throw new HttpProblem('CLOSING', 'the service is shutting down');
    if (this.#open.size >= this.#max) {
      throw new HttpProblem('TOO_MANY_STREAMS', `at most ${this.#max} streams may be open`, {
        headers: { 'retry-after': '5' },
      });
    }
    const controller = new AbortController();
    this.#open.add(controller);
    response.once('close', () => {
      this.#open.delete(controller);
      controller.abort();
    });
    return controller;
  }

  /** Ends every stream, and lets none begin. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}

/**
 * Writes to a response that somebody reads slowly: what is buffered stays below the socket's own mark, and a client that
 * takes nothing for `stalledMs` is cut off.
 *
 * @returns false once there is nobody to write to
 */
export async function writeBounded(
  response: ServerResponse,
  text: string,
  signal: AbortSignal,
  stalledMs: number,
): Promise<boolean> {
  if (signal.aborted || response.destroyed) return false;
  if (response.write(text)) return true;
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stalledMs)]) });
    return true;
  } catch {
    if (!signal.aborted) response.destroy();
    return false;
  }
}
