// Taken before any test can replace them with fake timers: waiting for another process is always in real time.
const now = performance.now.bind(performance);
const { setImmediate: immediately, setTimeout: later } = globalThis;

/** Most conditions inside one process hold after a few turns of the event loop; only then is it worth idling. */
const TURNS_BEFORE_IDLING = 20;

export interface UntilOptions {
  /** @defaultValue 5000 */
  timeoutMs?: number;
  /** Pause between two looks once the first turns of the event loop have passed. @defaultValue 5 */
  intervalMs?: number;
  /** What is awaited, for the error message. */
  what?: string;
}

/**
 * Resolves with the predicate's first truthy value; rejects when the time is up. A predicate that throws counts as
 * "not yet"; its last error becomes the `cause` of the time-out.
 */
export async function until<T>(
  predicate: () => T | Promise<T>,
  { timeoutMs = 5_000, intervalMs = 5, what = 'the condition' }: UntilOptions = {},
): Promise<T> {
  const deadline = now() + timeoutMs;
  let lastError: unknown;
  for (let turn = 0; ; turn++) {
    try {
      const value = await predicate();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (now() >= deadline) {
      throw new Error(`${what} did not come true within ${timeoutMs} ms`, { cause: lastError });
    }
    await new Promise<void>((resolve) => {
      if (turn < TURNS_BEFORE_IDLING) immediately(resolve);
      else later(resolve, intervalMs);
    });
  }
}
