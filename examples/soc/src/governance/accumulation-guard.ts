import type { Clock } from '@tallystick/sdk';
import { type Documents, MemoryDocuments } from '../platform/documents.ts';
import type { Settings } from '../platform/settings.ts';

export interface Accumulation {
  readonly admitted: boolean;
  /** Automatic actions of the tenant within the window, this one included. */
  readonly count: number;
  /** Whether this is the first action beyond the limit since the limit was last kept. */
  readonly isBreach: boolean;
}

/** The automatic actions of a tenant in its window. */
export interface CountedActions {
  readonly actions: readonly { readonly action_id: string; readonly at: number }[];
  /** Whether an action was refused since the limit was last kept. */
  readonly breached: boolean;
}

const windowId = 'window';
const none: CountedActions = { actions: [], breached: false };

/**
 * Many small actions can do what a large one does. It counts the automatic actions of each tenant in a sliding window. The counts are
 * documents: a restart does not permit more actions than the limit.
 */
export class AccumulationGuard {
  readonly #settings: Settings['governance'];
  readonly #clock: Pick<Clock, 'now'>;
  readonly #documents: Documents<CountedActions>;

  constructor(
    settings: Settings['governance'],
    clock: Pick<Clock, 'now'>,
    documents: Documents<CountedActions> = new MemoryDocuments<CountedActions>(),
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#documents = documents;
  }

  /**
   * Counts an action, if it is admitted. Calls for one tenant must follow each other.
   *
   * @param actionId an action that asks again after a crash is not counted twice
   */
  async count(tenantId: string, actionId: string): Promise<Accumulation> {
    const { maxActions, windowMs } = this.#settings.accumulation;
    const now = this.#clock.now();
    const known = (await this.#documents.get(tenantId, windowId)) ?? none;
    const recent = known.actions.filter(({ at }) => now - at < windowMs);
    const isCounted = recent.some(({ action_id }) => action_id === actionId);
    const admitted = isCounted || recent.length < maxActions;
    const actions = isCounted || !admitted ? recent : [...recent, { action_id: actionId, at: now }];
    await this.#documents.put(tenantId, windowId, { actions, breached: !admitted });
    return {
      admitted,
      count: actions.length + (admitted ? 0 : 1),
      isBreach: !admitted && !known.breached,
    };
  }
}
