import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { HttpProblem } from './problems.ts';

/** The live streams of an app. Their number is limited, and they end when the app closes. */
export class Streams {
  readonly #max: number;
  /** One controller per open stream. Owned by this object. */
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Registers a stream until its response closes.
   *
   * @returns a controller whose signal tells the stream to end
   * @throws {HttpProblem} `TOO_MANY_STREAMS`, `CLOSING`
   */
  open(response: ServerResponse): AbortController {
    if (this.#closed) throw new HttpProblem('CLOSING', 'the service is shutting down');
    if (this.#open.size >= this.#max) {
      throw new HttpProblem('TOO_MANY_STREAMS', `at most ${this.#max} streams may be open at once`, {
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

  /** Ends every stream and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
  }
}

/**
 * Writes to a response and waits while the client reads slowly, so that the buffer stays below the socket's high-water mark.
 * A client that reads nothing for `stalledMs` is disconnected.
 *
 * @returns false if the stream has ended
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
