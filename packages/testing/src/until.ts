// Read before a test can replace them with fake timers: waiting for another process always takes real time.
const now = performance.now.bind(performance);
const { setImmediate: immediately, setTimeout: later } = globalThis;

/** Most conditions inside one process become true within a few turns of the event loop. Only then does `until` wait longer. */
const TURNS_BEFORE_IDLING = 20;

export interface UntilOptions {
  /** @defaultValue 5000 */
  timeoutMs?: number;
  /** The pause between two checks, after the first turns of the event loop. @defaultValue 5 */
  intervalMs?: number;
  /** What the test waits for, for the error message. */
  what?: string;
}

/**
 * Calls the predicate until it returns a truthy value, and resolves with that value. Rejects after `timeoutMs`. A predicate that
 * throws is called again; its last error becomes the `cause` of the rejection.
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
