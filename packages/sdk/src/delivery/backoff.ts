import type { Clock } from '../clock.ts';

/** When a failed batch is sent again. */
export interface RetryOptions {
  /** Tries after the first one, before the batch counts as failed. @defaultValue 3 */
  readonly maxRetries: number;
  /** Pause before each of these tries, in milliseconds; the last value also holds for further ones. @defaultValue [1000, 4000, 9000] */
  readonly retryDelaysMs: readonly number[];
  /** Pause between tries after the batch has failed, in milliseconds. @defaultValue 15000 */
  readonly probeIntervalMs: number;
}

/** The longest pause that a service can request: a wrong `Retry-After` must not stop a producer for days. */
const maxRetryAfterMs = 5 * 60_000;
/** While the emitter closes, it has little time and tries often. */
const closingPauseMs = 250;

/**
 * Pauses between the tries of one sender. Each pause varies by ±25 %, so that producers that lost the same service do not all
 * return at the same moment.
 */
export class Backoff {
  readonly #options: RetryOptions;
  readonly #clock: Clock;
  /** A random number in [0, 1). */
  readonly #random: () => number;
  #closing = false;
  #endPause: (() => void) | undefined;

  constructor(options: RetryOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Resolves when it is time for the next try, or when {@link endPause} is called.
   *
   * @param attempt number of the try that failed, from 0
   * @param retryAfterMs how long the service asked the client to wait
   */
  pause(attempt: number, retryAfterMs: number | undefined): Promise<void> {
    const ms =
      this.#closing && retryAfterMs === undefined
        ? closingPauseMs
        : backoffMs(this.#options, attempt, retryAfterMs, this.#random());
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#endPause = undefined;
        resolve();
      };
      const cancel = this.#clock.schedule(ms, end, false);
      this.#endPause = end;
    });
  }

  endPause(): void {
    this.#endPause?.();
  }

  /** From now on, pauses are short unless the service asks for a longer one. */
  startClosing(): void {
    this.#closing = true;
  }

  get closing(): boolean {
    return this.#closing;
  }
}

function backoffMs(
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
  // The service's request is a minimum; the variation is added to it.
  const requested = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
  return Math.round(requested > 0 ? Math.max(jittered, requested + base * (random / 4)) : jittered);
}
