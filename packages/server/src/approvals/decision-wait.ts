import { setTimeout as pause } from 'node:timers/promises';
import type { Approval } from '@tallystick/protocol';
import type { Database } from '../store/database.ts';
import { changedApprovals } from './approval-rows.ts';
import type { ApprovalDesk } from './desk.ts';

export interface DecisionWaitOptions {
  readonly desk: ApprovalDesk;
  readonly database: Database;
  readonly intervalMs: number;
  /** Aborts when the service closes. */
  readonly closing: AbortSignal;
  /** What a wait ends with when the service closes. */
  readonly closed: () => Error;
  /** Whether an error means that the store is away. People may decide meanwhile, so the wait goes on. */
  readonly isFault: (error: unknown) => boolean;
}

interface Waiting {
  readonly tenantId: string;
  readonly id: string;
  /** When the approval was last compared with its records, by the process's own clock, ms. */
  comparedAt: number;
  readonly resolve: (approval: Approval) => void;
  readonly reject: (reason: unknown) => void;
}

/** A row that somebody edited, and that stays pending, is found after this time, ms. */
const compareEveryMs = 30_000;

/** Most waits that are compared so in one round: those with a decision must not wait for thousands without one. */
const comparedPerRound = 20;

/**
 * Waits of this process for decisions. However many approvals wait, one query at each interval asks which of them have changed: with
 * 500 waits that each read their own approval every 50 ms, the embedded store had no time for anything else.
 */
export class DecisionWait {
  readonly #options: DecisionWaitOptions;
  readonly #waits = new Set<Waiting>();
  #isRunning = false;
  /** Aborts when nobody waits any more. */
  #left = new AbortController();

  constructor(options: DecisionWaitOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the approval is not pending any more.
   *
   * @throws {ServerError} `NOT_FOUND`, `APPROVAL_MISMATCH`
   * @throws the reason of the signal
   */
  async decided(tenantId: string, id: string, signal: AbortSignal): Promise<Approval> {
    const approval = await this.#read(tenantId, id);
    if (approval !== undefined && approval.state !== 'pending') return approval;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Approval>();
    const wait = { tenantId, id, comparedAt: performance.now(), resolve, reject };
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#waits.add(wait);
    void this.#run();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#waits.delete(wait);
      if (this.#waits.size === 0) this.#left.abort();
    }
  }

  /** Runs while somebody waits. It keeps the process alive, because a caller waits. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#waits.size > 0) {
      this.#left = new AbortController();
      const ends = AbortSignal.any([this.#left.signal, this.#options.closing]);
      // The loop says why a pause was ended.
      await pause(this.#options.intervalMs, undefined, { signal: ends }).catch(() => undefined);
      if (this.#options.closing.aborted) {
        for (const wait of this.#waits) wait.reject(this.#options.closed());
        break;
      }
      await this.#look();
    }
    this.#isRunning = false;
  }

  async #look(): Promise<void> {
    const waits = [...this.#waits];
    const now = performance.now();
    try {
      const changed = new Set(await changedApprovals(this.#options.database, waits));
      const old = waits.filter(
        ({ id, comparedAt }) => !changed.has(id) && now - comparedAt >= compareEveryMs,
      );
      const suspect = [...waits.filter(({ id }) => changed.has(id)), ...old.slice(0, comparedPerRound)];
      for (const wait of suspect) await this.#settle(wait);
    } catch (error) {
      if (this.#options.isFault(error)) return;
      for (const wait of waits) wait.reject(error);
    }
  }

  async #settle(wait: Waiting): Promise<void> {
    wait.comparedAt = performance.now();
    try {
      const approval = await this.#read(wait.tenantId, wait.id);
      if (approval !== undefined && approval.state !== 'pending') wait.resolve(approval);
    } catch (error) {
      wait.reject(error);
    }
  }

  /**
   * Reads an approval, and compares it with its records.
   *
   * @returns `undefined` while the store is away
   */
  async #read(tenantId: string, id: string): Promise<Approval | undefined> {
    // Nobody decides at a closed desk. The approval stays open, and a later request with the same key meets it.
    if (this.#options.closing.aborted) throw this.#options.closed();
    try {
      return await this.#options.desk.get(tenantId, id);
    } catch (error) {
      if (this.#options.isFault(error)) return undefined;
      throw error;
    }
  }
}
