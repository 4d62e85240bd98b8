import type { Clock } from '@tallystick/sdk';
import type { Settings } from '../platform/settings.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Stops calls to a provider that fails: after some failures in a row it is open and refuses calls; after a pause it is half-open and
 * permits a few probes; a probe that succeeds closes it, one that fails opens it again.
 *
 * The libraries cockatiel and opossum do the same, but read the system's clock, so that a test of the pause would have to wait for it.
 */
export class CircuitBreaker {
  readonly #settings: Settings['router']['breaker'];
  readonly #clock: Pick<Clock, 'now'>;
  #failures = 0;
  #openedAt: number | undefined;
  #probes = 0;

  /**
   * @param before what was known before a restart: when it opened, `undefined` if it is closed; and how many calls in a row had failed
   */
  constructor(
    settings: Settings['router']['breaker'],
    clock: Pick<Clock, 'now'>,
    before: { readonly openedAt?: number | undefined; readonly failures?: number | undefined } = {},
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#openedAt = before.openedAt;
    this.#failures = before.failures ?? 0;
  }

  /** Calls in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  get state(): BreakerState {
    if (this.#openedAt === undefined) return 'closed';
    // After the clock was set back, the pause begins again: it must not last until the clock is where it was.
    this.#openedAt = Math.min(this.#openedAt, this.#clock.now());
    return this.#clock.now() - this.#openedAt < this.#settings.openMs ? 'open' : 'half-open';
  }

  /** Whether a call may begin now. If so, the caller must report its end with {@link succeeded} or {@link failed}. */
  admit(): boolean {
    if (this.state === 'closed') return true;
    if (this.state === 'open' || this.#probes >= this.#settings.probes) return false;
    this.#probes += 1;
    return true;
  }

  /** @returns whether this closed the breaker */
  succeeded(): boolean {
    const wasOpen = this.#openedAt !== undefined;
    this.#failures = 0;
    this.#openedAt = undefined;
    this.#probes = 0;
    return wasOpen;
  }

  /** @returns whether this opened the breaker, for the first time or again */
  failed(): boolean {
    this.#failures += 1;
    const isProbe = this.state === 'half-open';
    const opens = isProbe || (this.state === 'closed' && this.#failures >= this.#settings.failures);
    if (opens) this.#openedAt = this.#clock.now();
    if (isProbe || opens) this.#probes = 0;
    return opens;
  }
}
