/** The time and timers that the emitter uses. A test passes its own clock and decides when time advances. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs `task` once after `ms` milliseconds.
   *
   * @param keepAlive whether the process must not exit while the task is pending; `true` only if a caller awaits it
   * @returns a function that cancels the task
   */
  schedule(ms: number, task: () => void, keepAlive: boolean): () => void;
}

/** The longest delay that a Node.js timer supports. */
const maxTimerMs = 2 ** 31 - 1;

/** The system's clock and timers. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  schedule(ms: number, task: () => void, keepAlive: boolean) {
    // Node.js runs a timer with a longer delay immediately.
    const timer = setTimeout(task, Math.min(ms, maxTimerMs));
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
});
