/** Bounds of a backoff. */
export interface BackoffBounds {
  /** Upper bound of the first pause, ms. */
  readonly baseMs: number;
  /** Upper bound of every pause, ms. */
  readonly maxMs: number;
}

/**
 * The pause before the next attempt: exponential backoff with jitter, so that replicas that failed together do not
 * come back together.
 *
 * @param attempt failed attempts before this pause, minus one: 0 for the first pause
 * @param random returns a number in [0, 1)
 * @returns milliseconds, between half of the upper bound and the upper bound
 */
export function backoffMs(
  attempt: number,
  { baseMs, maxMs }: BackoffBounds,
  random: () => number = Math.random,
): number {
  // 2 ** 20 times any base exceeds every bound in use; a larger exponent would only reach Infinity.
  const upper = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20));
  return upper * (0.5 + random() / 2);
}
