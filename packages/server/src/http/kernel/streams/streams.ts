import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { HttpProblem } from '../problems.ts';

/** The live streams of an app. Their number is limited, also for each key, and they end when the app closes. */
export class Streams {
  readonly #max: number;
  readonly #maxPerKey: number;
  /** One controller per open stream, with its key. Owned by this object. */
  readonly #open = new Map<AbortController, string>();
  #closed = false;

  constructor(max: number, maxPerKey = max) {
    this.#max = max;
    this.#maxPerKey = maxPerKey;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Registers a stream until its response closes. A client may have gone before that, while the route was reading from the store: its
   * stream is told to end at once, and takes no place.
   *
   * @returns a controller whose signal tells the stream to end
   * @throws {HttpProblem} `TOO_MANY_STREAMS`, `CLOSING`
   */
  open(response: ServerResponse, key: string): AbortController {
    if (this.#closed) throw new HttpProblem('CLOSING', 'the service is shutting down');
    const own = [...this.#open.values()].filter((other) => other === key).length;
    if (own >= this.#maxPerKey || this.#open.size >= this.#max) {
      const message =
        own >= this.#maxPerKey
          ? `at most ${this.#maxPerKey} streams of a key may be open at once`
          : `at most ${this.#max} streams may be open at once`;
      throw new HttpProblem('TOO_MANY_STREAMS', message, { headers: { 'retry-after': '5' } });
    }
    const controller = new AbortController();
    // A response that has closed emits no second event.
    if (response.destroyed) {
      controller.abort();
      return controller;
    }
    this.#open.set(controller, key);
    response.once('close', () => {
      this.#open.delete(controller);
      controller.abort();
    });
    return controller;
  }

  /** Ends every stream and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open.keys()) controller.abort();
  }
}

/** Begins the answer of a stream, with what the checks before its route have set: rate limits, and what other origins may read. */
export function beginStream(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
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
