import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, writer } from '../store/database.ts';
import { activeGenerations, type FollowerControl, readControls, registerFollowers } from './control.ts';
import { changedTenants } from './cursors.ts';
import type { Follower } from './follower.ts';
import { type FollowerLag, readLag } from './lag.ts';
import { Leases } from './leases.ts';
import { advanceRebuild, clearOldGenerations } from './rebuild.ts';
import { Runner } from './runner.ts';
import type { VisitStage } from './visit.ts';
import { postWakes, takeWakes } from './wakes.ts';

/** How the followers of a service run. */
export interface FollowersOptions {
  /** How often wakes and decisions of operators are looked up, ms. @defaultValue 1000 */
  readonly tickMs?: number | undefined;
  /** How often all heads are compared with all cursors, ms. @defaultValue 60000 */
  readonly mergeMs?: number | undefined;
  /** How long a replica holds its buckets of tenants without renewing them, ms. @defaultValue 15000 */
  readonly leaseMs?: number | undefined;
  /** Tenants that one follower visits at the same time. @defaultValue 4; 1 for the embedded store, which has one connection */
  readonly concurrency?: number | undefined;
  /**
   * How long after a commit on this replica each follower with an effect in the database visits one tenant at a time, so that what is to be chained
   * does not wait for many of them, ms. @defaultValue 250
   */
  readonly busyMs?: number | undefined;
  /** For tests that crash or freeze a follower. The product does not use it. */
  readonly onStage?: ((follower: string, stage: VisitStage) => void | Promise<void>) | undefined;
}

/** What this replica knows of a follower. */
export interface FollowerHealth extends FollowerLag {
  readonly name: string;
  readonly paused: boolean;
  /** Whether a reset is filling a new generation. */
  readonly rebuilding: boolean;
}

/** Most tenants that one comparison of heads and cursors wakes. The next one wakes others. */
const maxMerged = 10_000;

interface Running {
  readonly follower: Follower;
  control: FollowerControl;
  /** By generation. */
  readonly runners: Map<number, Runner>;
  mergedAt: number;
  lag: FollowerLag | undefined;
}

/**
 * Runs the followers of a service on this replica. What decides is stored: cursors, pauses and generations. So any number of replicas may
 * run, and each may end at any moment.
 */
export class Followers {
  readonly #database: Database;
  readonly #followers: readonly Follower[];
  readonly #options: FollowersOptions;
  readonly #onError: (what: string, error: unknown) => void;
  readonly #leases: Leases;
  /** Owned by {@link #round}. */
  readonly #running = new Map<string, Running>();
  /** Tenants whose chains grew here and whose buckets other replicas hold. */
  readonly #elsewhere = new Set<string>();
  #registered = false;
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<void> | undefined;
  #closed = false;
  /** Records that were applied since this process began, by follower. */
  readonly applied = new Map<string, number>();

  constructor(
    database: Database,
    followers: readonly Follower[],
    options: FollowersOptions,
    onError: (what: string, error: unknown) => void,
  ) {
    this.#database = database;
    this.#followers = followers;
    this.#options = options;
    this.#onError = onError;
    this.#leases = new Leases(database, options.leaseMs ?? 15_000);
    const { tickMs = 1_000 } = options;
    this.#timer = setInterval(() => {
      this.#current ??= this.round()
        .catch((error: unknown) => onError('followers', error))
        .finally(() => {
          this.#current = undefined;
        });
    }, tickMs);
    this.#timer.unref();
  }

  /** To be called after a commit that extended these chains. A hint: a call that is missed only costs time. */
  wake(tenantIds: readonly string[]): void {
    const held = tenantIds.filter((tenantId) => this.#leases.holds(tenantId));
    for (const tenantId of tenantIds) if (!held.includes(tenantId)) this.#elsewhere.add(tenantId);
    for (const { runners } of this.#running.values())
      for (const runner of runners.values()) runner.committed(held);
  }

  /** What this replica knows of each follower, as of the last comparison of heads and cursors. */
  health(): FollowerHealth[] {
    return [...this.#running.values()].flatMap(({ follower: { name }, control, lag }) =>
      lag === undefined
        ? []
        : [{ name, ...lag, paused: control.paused, rebuilding: control.building !== undefined }],
    );
  }

  /**
   * One round: renews leases, reads what operators have decided and who woke this replica, compares heads with cursors where that is due,
   * and lets followers do what is due by time. A timer calls it.
   */
  async round(): Promise<void> {
    if (!this.#registered) {
      await registerFollowers(this.#database, this.#followers);
      this.#registered = true;
    }
    const hasNewBuckets = this.#leases.isDue && (await this.#leases.renew());
    const { buckets } = this.#leases;
    const { controls, woken } = await this.#database.transaction(writer, async (session) => ({
      controls: await readControls(session),
      woken: await takeWakes(session, buckets),
    }));
    if (this.#closed) return;
    for (const follower of this.#followers) {
      const control = controls.get(follower.name);
      if (control === undefined) continue;
      const running = this.#running.get(follower.name) ?? this.#begin(follower, control);
      await this.#attempt(follower.name, () => this.#step(running, control, { woken, hasNewBuckets }));
    }
    if (this.#elsewhere.size > 0) {
      const posted = [...this.#elsewhere];
      this.#elsewhere.clear();
      await postWakes(this.#database, posted);
    }
  }

  /** Compares heads and cursors at the next round, and not only when it is due. */
  mergeSoon(): void {
    for (const running of this.#running.values()) running.mergedAt = Number.NEGATIVE_INFINITY;
  }

  /** Stops all followers after their running visits, and gives up the leases. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#current;
    await Promise.all(
      [...this.#running.values()].flatMap(({ runners }) =>
        [...runners.values()].map((runner) => runner.close()),
      ),
    );
    if (this.#registered)
      await this.#leases.release().catch((error: unknown) => this.#onError('followers', error));
  }

  #begin(follower: Follower, control: FollowerControl): Running {
    const running: Running = {
      follower,
      control,
      runners: new Map(),
      mergedAt: Number.NEGATIVE_INFINITY,
      lag: undefined,
    };
    this.#running.set(follower.name, running);
    return running;
  }

  /** A follower whose step fails must not keep the others from theirs. */
  async #attempt(name: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#onError(`follower ${name}`, error);
    }
    await nextTurn();
  }

  async #step(
    running: Running,
    control: FollowerControl,
    { woken, hasNewBuckets }: { readonly woken: readonly string[]; readonly hasNewBuckets: boolean },
  ): Promise<void> {
    const { follower, runners } = running;
    const before = running.control;
    running.control = control;
    const wanted = activeGenerations(control);
    for (const [generation, runner] of runners) {
      if (wanted.includes(generation)) continue;
      runners.delete(generation);
      await runner.close();
    }
    const added = wanted.filter((generation) => !runners.has(generation));
    for (const generation of added) runners.set(generation, this.#runner(follower, generation));
    for (const runner of runners.values()) runner.wake(woken);
    const changed = JSON.stringify(before) !== JSON.stringify(control);
    const { mergeMs = 60_000 } = this.#options;
    const isDue = performance.now() - running.mergedAt > mergeMs;
    if (isDue || hasNewBuckets || added.length > 0 || changed || control.building !== undefined) {
      running.mergedAt = performance.now();
      await this.#merge(running, isDue);
    }
    if (control.paused) return;
    if (await advanceRebuild(this.#database, follower, control)) running.mergedAt = Number.NEGATIVE_INFINITY;
    await follower.tick?.({
      generation: control.generation,
      isHeld: (tenantId) => this.#leases.holds(tenantId),
    });
  }

  /** Correctness does not depend on wakes: this finds every tenant that was not read to its head. */
  async #merge(running: Running, isDue: boolean): Promise<void> {
    const { follower, control, runners } = running;
    const { buckets } = this.#leases;
    for (const [generation, runner] of runners) {
      const set = { follower: follower.name, generation };
      runner.wake(await changedTenants(this.#database, set, buckets, maxMerged));
    }
    if (!isDue && running.lag !== undefined) return;
    running.lag = await readLag(this.#database, { follower: follower.name, generation: control.generation });
    await clearOldGenerations(this.#database, follower, control);
  }

  #runner(follower: Follower, generation: number): Runner {
    const { concurrency = this.#database.kind === 'pglite' ? 1 : 4, busyMs = 250, onStage } = this.#options;
    return new Runner({
      database: this.#database,
      follower,
      generation,
      concurrency,
      busyMs,
      isHeld: (tenantId) => this.#leases.holds(tenantId),
      onRecords: (records) =>
        this.applied.set(follower.name, (this.applied.get(follower.name) ?? 0) + records),
      onError: (error) => this.#onError(`follower ${follower.name}`, error),
      ...(onStage !== undefined && { onStage: (stage: VisitStage) => onStage(follower.name, stage) }),
    });
  }
}
