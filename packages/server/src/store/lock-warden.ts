import type pg from 'pg';
import type { Eviction, Timeouts } from './database.ts';

/** A holder of a lock, as one look finds it. */
interface Holder {
  readonly pid: number;
  /** The session and its transaction. */
  readonly transaction: string;
  /** Its statement, and how much of a COPY it has read: unchanged means no progress. */
  readonly progress: string;
  readonly waits_for_client: boolean;
  readonly held_ms: number;
}

const lookSql = `
  select a.pid, concat(a.backend_start, '/', a.xact_start) as transaction,
         concat(a.state_change, '/', p.bytes_processed) as progress,
         coalesce(a.wait_event_type = 'Client', false) as waits_for_client,
         coalesce(extract(epoch from clock_timestamp() - a.xact_start) * 1000, 0)::float8 as held_ms
    from (select distinct unnest(pg_blocking_pids(w)) as pid from unnest($1::int[]) as w) as b
    join pg_stat_activity a on a.pid = b.pid and a.usename = current_user
    left join pg_stat_progress_copy p on p.pid = a.pid`;

// In the transaction in which it was seen, and in no later one of the same session: that has done nobody any harm.
const evictSql = `
  select pg_terminate_backend(pid) as ended from pg_stat_activity
   where pid = $1 and usename = current_user and concat(backend_start, '/', xact_start) = $2`;

/**
 * Ends whoever holds a lock and has stopped: a client that froze in a transaction outlives every time-out of its own (in
 * mid-COPY the server reads from it for ever), and its successors would wait as long. One that works, however slowly, is
 * waited for up to {@link Timeouts.holdMs}: two writers that ended each other would get nowhere.
 *
 * Whoever is ended loses nothing: what it had not committed was not acknowledged, and it will submit it again.
 */
export class LockWarden {
  readonly #timeouts: Timeouts;
  /** Runs a statement on a connection that those who wait for locks can't use up. */
  readonly #query: <R extends object>(sql: string, parameters: readonly unknown[]) => Promise<R[]>;
  readonly #onEviction: (eviction: Eviction) => void;
  /** Backends of this process that wait. Owned by this object. */
  readonly #waiting = new Set<number>();
  /**
   * Transactions that hold locks, since when (ms, monotonic) each has made no progress, and when it was last looked at.
   * They outlast the single wait, which may be too short to tell.
   */
  readonly #held = new Map<string, { progress: string; since: number; seen: number }>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(
    timeouts: Timeouts,
    query: <R extends object>(sql: string, parameters: readonly unknown[]) => Promise<R[]>,
    onEviction: (eviction: Eviction) => void,
  ) {
    this.#timeouts = timeouts;
    this.#query = query;
    this.#onEviction = onEviction;
  }

  /** Watches over a statement that may wait for a lock, as long as `statement` has not settled. */
  async guard<T>(client: pg.ClientBase, statement: Promise<T>): Promise<T> {
    const { processID } = client as pg.ClientBase & { readonly processID: number | null };
    if (processID === null) return await statement;
    const wait = setTimeout(() => this.#add(processID), this.#timeouts.lockMs / 4);
    try {
      return await statement;
    } finally {
      clearTimeout(wait);
      this.#waiting.delete(processID);
    }
  }

  stop(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
  }

  #add(pid: number): void {
    this.#waiting.add(pid);
    if (this.#timer === undefined && !this.#looking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#looking = true;
    try {
      await this.#judge(await this.#query<Holder>(lookSql, [[...this.#waiting]]));
    } catch {
      // The store is away: whoever waits for a lock there finds out by itself.
    }
    this.#looking = false;
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), this.#timeouts.lockMs / 4);
    this.#timer.unref();
  }

  async #judge(holders: readonly Holder[]): Promise<void> {
    const now = performance.now();
    for (const { pid, transaction, progress, waits_for_client, held_ms } of holders) {
      const known = this.#held.get(transaction);
      const since = waits_for_client && known?.progress === progress ? known.since : now;
      this.#held.set(transaction, { progress, since, seen: now });
      const frozen = now - since >= this.#timeouts.lockMs;
      if (!frozen && held_ms < this.#timeouts.holdMs) continue;
      const [row] = await this.#query<{ ended: boolean }>(evictSql, [pid, transaction]);
      if (row?.ended === true) this.#onEviction({ pid, reason: frozen ? 'frozen' : 'too_long' });
    }
    for (const [transaction, { seen }] of this.#held) {
      if (now - seen > this.#timeouts.holdMs) this.#held.delete(transaction);
    }
  }
}
