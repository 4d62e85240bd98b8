/** Anything that tells the time in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** A clock that moves only when told to, so that a test states the passing of time instead of waiting for it. */
export class ManualClock implements Clock {
  #now: number;

  /** @param start Milliseconds since the epoch; @defaultValue 2026-01-01T00:00:00.000Z */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Negative values are allowed: clocks that jump back are a case worth testing. */
  advance(ms: number): void {
    if (!Number.isFinite(ms)) throw new RangeError(`cannot advance a clock by ${ms}`);
    this.#now += ms;
  }
}
