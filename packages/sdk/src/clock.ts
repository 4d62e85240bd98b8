/** Time as the emitter sees it, so that a test can say what time it is and let it pass. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs `task` once after `ms` milliseconds; the result cancels it.
   *
   * @param keepAlive whether the process must not exit while this is pending. Only what somebody awaits may.
   */
  schedule(ms: number, task: () => void, keepAlive: boolean): () => void;
}

const longestMs = 2 ** 31 - 1;

/** The machine's own clock and timers. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  schedule(ms: number, task: () => void, keepAlive: boolean) {
    // Beyond what a timer can hold, Node runs it at once.
    const timer = setTimeout(task, Math.min(ms, longestMs));
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
});
