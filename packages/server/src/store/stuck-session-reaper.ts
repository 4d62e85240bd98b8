import type { Eviction, Timeouts } from './database.ts';

/** A session that holds a lock which another session waits for, as one look at the server finds it. */
interface LockHolder {
  readonly pid: number;
  /** Identifies the session and its transaction. */
  readonly transaction: string;
  /** Its statement, and how much of a COPY it has read: the same value twice means no progress. */
  readonly progress: string;
  readonly waits_for_client: boolean;
  readonly held_ms: number;
}

const findHoldersSql = `
  select a.pid, concat(a.backend_start, '/', a.xact_start) as transaction,
         concat(a.state_change, '/', p.bytes_processed) as progress,
         coalesce(a.wait_event_type = 'Client', false) as waits_for_client,
         coalesce(extract(epoch from clock_timestamp() - a.xact_start) * 1000, 0)::float8 as held_ms
    from (select distinct unnest(pg_blocking_pids(w)) as pid from unnest($1::int[]) as w) as b
    join pg_stat_activity a on a.pid = b.pid and a.usename = current_user
    left join pg_stat_progress_copy p on p.pid = a.pid`;

// It ends the session only if the stuck transaction still runs: a later transaction of the same session may be healthy.
const terminateSql = `
  select pg_terminate_backend(pid) as ended from pg_stat_activity
   where pid = $1 and usename = current_user and concat(backend_start, '/', xact_start) = $2`;

/**
 * Terminates sessions that hold a lock and have stopped. A client that freezes inside a transaction can't apply its own
 * time-outs, and the server has none in the middle of a COPY, so other writers would wait for the lock without a limit. A
 * session that makes progress, however slowly, may go on for up to {@link Timeouts.holdMs}: two writers that terminated each
 * other would never finish.
 *
 * The terminated client loses nothing: its uncommitted work was not acknowledged, and it will submit it again.
 */
export class StuckSessionReaper {
  readonly #timeouts: Timeouts;
  /** Runs a statement on a separate connection, because sessions that wait for locks may use up all others. */
  readonly #query: <R extends object>(sql: string, parameters: readonly unknown[]) => Promise<R[]>;
  readonly #onEviction: (eviction: Eviction) => void;
  /** Backends of this process that wait for a lock. Owned by this object. */
  readonly #waiting = new Set<number>();
  /**
   * Transactions that hold locks: since when (ms, monotonic) each has made no progress, and when it was last seen.
   * Owned by this object; an entry outlasts a single wait, which may be too short to notice that a transaction stopped.
   */
  readonly #holders = new Map<string, { progress: string; since: number; seen: number }>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(
    timeouts: Timeouts,
    query: <R extends object>(sql: string, parameters: readonly unknown[]) => Promise<R[]>,
    onEviction: (eviction: Eviction) => void,
  ) {
    this.#timeouts = timeouts;
    this.#query = query;
    this.#onEviction = onEviction;
  }

  /**
   * Watches over a statement that may wait for a lock, until `statement` settles.
   *
   * @param pid process id of the backend that runs it
   */
  async guard<T>(pid: number | undefined, statement: Promise<T>): Promise<T> {
    if (pid === undefined) return await statement;
    const wait = setTimeout(() => this.#addWaiting(pid), this.#timeouts.lockMs / 4);
    try {
      return await statement;
    } finally {
      clearTimeout(wait);
      this.#waiting.delete(pid);
    }
  }

  stop(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
  }

  #addWaiting(pid: number): void {
    this.#waiting.add(pid);
    if (this.#timer === undefined && !this.#isLooking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    try {
      await this.#terminateStuck(await this.#query<LockHolder>(findHoldersSql, [[...this.#waiting]]));
    } catch {
      // The store is away: the statements that wait for a lock there fail with that error themselves.
    }
    this.#isLooking = false;
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), this.#timeouts.lockMs / 4);
    this.#timer.unref();
  }

  async #terminateStuck(holders: readonly LockHolder[]): Promise<void> {
    const now = performance.now();
    for (const { pid, transaction, progress, waits_for_client, held_ms } of holders) {
      const known = this.#holders.get(transaction);
      const since = waits_for_client && known?.progress === progress ? known.since : now;
      this.#holders.set(transaction, { progress, since, seen: now });
      const isFrozen = now - since >= this.#timeouts.lockMs;
      if (!isFrozen && held_ms < this.#timeouts.holdMs) continue;
      const [row] = await this.#query<{ ended: boolean }>(terminateSql, [pid, transaction]);
      if (row?.ended === true) this.#onEviction({ pid, reason: isFrozen ? 'frozen' : 'too_long' });
    }
    for (const [transaction, { seen }] of this.#holders) {
      if (now - seen > this.#timeouts.holdMs) this.#holders.delete(transaction);
    }
  }
}
