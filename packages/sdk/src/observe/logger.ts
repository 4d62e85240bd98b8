/** The methods of a logger that the emitter calls. Those of pino and Fastify fit, and most others. */
export interface AuditLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Handles the rejection of a promise that a callback of the application returned. Without a handler, Node.js would end
 * the process.
 */
export function ignoreRejection(returned: unknown): void {
  if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  (returned as PromiseLike<unknown>).then(undefined, () => {});
}

/** Logs at most one warning per key and interval, so that a fault of every event does not flood the log. */
export class RateLimitedLog {
  readonly #logger: AuditLogger | undefined;
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #lastLogged = new Map<string, { until: number; suppressed: number }>();

  constructor(logger: AuditLogger | undefined, now: () => number, intervalMs: number) {
    this.#logger = logger;
    this.#now = now;
    this.#intervalMs = intervalMs;
  }

  /** Whether a warning with this key would not be logged now. Such a warning counts as suppressed. */
  suppresses(key: string): boolean {
    if (this.#logger === undefined) return true;
    const last = this.#lastLogged.get(key);
    if (last === undefined) return false;
    const now = this.#now();
    // If the clock was set back, `until` is too far ahead and does not count.
    if (now >= last.until || now < last.until - this.#intervalMs) return false;
    last.suppressed++;
    return true;
  }

  /** @param key warnings with the same key share one limit; keys are kept in memory, so they must be few */
  warn(key: string, fields: object, message: string): void {
    if (this.#logger === undefined || this.suppresses(key)) return;
    const now = this.#now();
    const last = this.#lastLogged.get(key);
    this.#lastLogged.set(key, { until: now + this.#intervalMs, suppressed: 0 });
    try {
      ignoreRejection(this.#logger.warn({ ...fields, suppressed: last?.suppressed ?? 0 }, message));
    } catch {
      // The application's logger threw. The application must not fail because of that.
    }
  }
}
