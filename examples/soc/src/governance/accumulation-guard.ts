import type { Clock } from '@tallystick/sdk';
import type { Settings } from '../platform/settings.ts';

export interface Accumulation {
  readonly admitted: boolean;
  /** Automatic actions of the tenant within the window, this one included. */
  readonly count: number;
  /** Whether this is the first action beyond the limit since the limit was last kept. */
  readonly isBreach: boolean;
}

/** Many small actions can do what a large one does. It counts the automatic actions of each tenant in a sliding window. */
export class AccumulationGuard {
  readonly #settings: Settings['governance'];
  readonly #clock: Pick<Clock, 'now'>;
  readonly #times = new Map<string, number[]>();
  readonly #breached = new Set<string>();

  constructor(settings: Settings['governance'], clock: Pick<Clock, 'now'>) {
    this.#settings = settings;
    this.#clock = clock;
  }

  count(tenantId: string): Accumulation {
    const { maxActions, windowMs } = this.#settings.accumulation;
    const now = this.#clock.now();
    const times = (this.#times.get(tenantId) ?? []).filter((time) => now - time < windowMs);
    const admitted = times.length < maxActions;
    if (admitted) times.push(now);
    this.#times.set(tenantId, times);
    const isBreach = !admitted && !this.#breached.has(tenantId);
    if (admitted) this.#breached.delete(tenantId);
    else this.#breached.add(tenantId);
    return { admitted, count: times.length + (admitted ? 0 : 1), isBreach };
  }
}
