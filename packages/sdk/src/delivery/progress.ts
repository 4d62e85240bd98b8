import type { Clock } from '../clock.ts';

/**
 * How many events entered and left the outbox. The outbox is first in, first out, so the events with the lowest numbers have
 * left. Owned by the emitter's thread.
 */
export class Progress {
  queued = 0;
  #removed = 0;
  readonly #clock: Clock;
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get removed(): number {
    return this.#removed;
  }

  /** @param removed how many events have left the outbox; 0 if only another condition may have changed */
  advance(removed: number): void {
    this.#removed += removed;
    for (const check of this.#checks) check();
  }

  /** Resolves when the condition holds, or after `ms` milliseconds. Keeps the process alive meanwhile. */
  waitUntil(condition: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#checks.delete(check);
        resolve();
      };
      const check = () => {
        if (condition()) end();
      };
      const cancel = this.#clock.schedule(ms, end, true);
      this.#checks.add(check);
      check();
    });
  }
}
