/** When to try again. */
export interface RetryOptions {
  /** Tries after the first, before the batch counts as failed. @defaultValue 3 */
  readonly maxRetries: number;
  /** Waits before each of them in ms; the last goes on for further ones. @defaultValue [1000, 4000, 9000] */
  readonly retryDelaysMs: readonly number[];
  /** After a batch has failed: between the probes that find out whether the service is back. @defaultValue 15000 */
  readonly probeIntervalMs: number;
}

/** What a service that asks for a pause can get at most: an absurd Retry-After must not silence a producer for days. */
const maxRetryAfterMs = 5 * 60_000;

/**
 * @param attempt 0 after the first try
 * @param random in [0, 1); spreads the producers that lost the same service over ±25 %
 */
export function retryDelayMs(
  options: RetryOptions,
  attempt: number,
  retryAfterMs: number | undefined,
  random: number,
): number {
  const base =
    attempt < options.maxRetries
      ? (options.retryDelaysMs[Math.min(attempt, options.retryDelaysMs.length - 1)] ?? 1_000)
      : options.probeIntervalMs;
  const jittered = base * (0.75 + random / 2);
  // A pause that was asked for is a minimum; the jitter comes on top of it.
  const asked = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
  return Math.round(asked > 0 ? Math.max(jittered, asked + base * (random / 4)) : jittered);
}
