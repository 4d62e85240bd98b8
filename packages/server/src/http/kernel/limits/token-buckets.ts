/** How often something may happen: `perSecond` on average, and `burst` times at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What a bucket answers to one request. */
export interface Taken {
  readonly allowed: boolean;
  /** Requests that the bucket still allows at once. */
  readonly remaining: number;
  /** Until the bucket is full again, ms. */
  readonly fullInMs: number;
  /** Until the next request is allowed, ms; 0 if one is allowed now. */
  readonly waitMs: number;
}

/**
 * Token buckets by id, each as one number: the time at which the bucket is full again (the generic cell rate algorithm, ITU-T I.371).
 *
 * Why not `rate-limiter-flexible` (ISC, kept well): in memory it counts in fixed windows, so that a client gets twice the rate around the end
 * of a window and nothing until then, and it keeps a timer per id without a bound on their number.
 */
export class TokenBuckets {
  readonly #now: () => number;
  readonly #max: number;
  /** When each bucket is full again, ms; the least recently used id comes first. Owned by this object. */
  readonly #fullAt = new Map<string, number>();

  /** @param max most buckets that are kept. Beyond it, the least recently used one is forgotten, as if it were full */
  constructor(now: () => number, max = 10_000) {
    this.#now = now;
    this.#max = max;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** Takes a token, if the bucket has one. */
  take(id: string, { perSecond, burst }: Rate): Taken {
    const now = this.#now();
    const msPerToken = 1_000 / perSecond;
    const storedMs = Math.max((this.#fullAt.get(id) ?? 0) - now, 0);
    // More than the whole bucket can't be missing: the clock was set back, and the bucket counts as full.
    const missingMs = storedMs > (burst + 1) * msPerToken ? 0 : storedMs;
    // Sums of fractions are not exact: a request is not refused because a millionth of a token is missing.
    const waitMs = missingMs + msPerToken - burst * msPerToken;
    const allowed = waitMs <= msPerToken / 1e6;
    const fullInMs = allowed ? missingMs + msPerToken : missingMs;
    this.#fullAt.delete(id);
    this.#fullAt.set(id, now + fullInMs);
    if (this.#fullAt.size > this.#max) {
      const [oldest] = this.#fullAt.keys();
      this.#fullAt.delete(oldest!);
    }
    const remaining = Math.max(0, Math.floor(burst - fullInMs / msPerToken + 1e-6));
    return { allowed, remaining, fullInMs, waitMs: allowed ? 0 : waitMs };
  }
}
