import { setTimeout as delay } from 'node:timers/promises';

/** Pauses that grow from try to try, with some chance in them so that replicas don't come all at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #tries = 0;

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  get tries(): number {
    return this.#tries;
  }

  reset(): void {
    this.#tries = 0;
  }

  /** Resolves after the pause, or at once when the signal aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    const ms = Math.min(this.#mostMs, this.#firstMs * 2 ** Math.min(this.#tries++, 20));
    await delay(ms * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}
