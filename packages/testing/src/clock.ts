/** A source of the current time, in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** A clock that moves only when the test moves it, so that no test waits for time to pass. */
export class ManualClock implements Clock {
  #now: number;

  /** @param start Milliseconds since the epoch; @defaultValue 2026-01-01T00:00:00.000Z */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** @param ms a negative value sets the clock back, as real clocks sometimes are */
  advance(ms: number): void {
    if (!Number.isFinite(ms)) throw new RangeError(`cannot advance a clock by ${ms}`);
    this.#now += ms;
  }
}
