/** What the emitter needs of a logger; pino, Fastify's and most others have it. */
export interface AuditLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the application's code gave back: where that is a promise, its rejection would end the process. */
export function ignoreRejection(given: unknown): void {
  if (typeof (given as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  (given as PromiseLike<unknown>).then(undefined, () => {});
}

/** One line a key and `intervalMs` at most: a fault that hits every event must not also flood the log. */
export class RateLimitedLog {
  readonly #logger: AuditLogger | undefined;
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #seen = new Map<string, { until: number; suppressed: number }>();

  constructor(logger: AuditLogger | undefined, now: () => number, intervalMs: number) {
    this.#logger = logger;
    this.#now = now;
    this.#intervalMs = intervalMs;
  }

  /** @param key which lines count as the same; a closed set, since each is remembered */
  warn(key: string, fields: object, message: string): void {
    if (this.#logger === undefined) return;
    const now = this.#now();
    const seen = this.#seen.get(key);
    // A clock that was set back must not silence the log for as long.
    if (seen !== undefined && now < seen.until && now >= seen.until - this.#intervalMs) {
      seen.suppressed++;
      return;
    }
    this.#seen.set(key, { until: now + this.#intervalMs, suppressed: 0 });
    try {
      ignoreRejection(this.#logger.warn({ ...fields, suppressed: seen?.suppressed ?? 0 }, message));
    } catch {
      // A logger that throws must not take the business down with it.
    }
  }
}
