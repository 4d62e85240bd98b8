import type { Database, Queries } from '../store/database.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { blockedAmong } from './blocked-subjects.ts';
import type { Principal } from './principal.ts';
import { usableAmong } from './sessions/console-sessions.ts';
import { usableViewerTokens } from './viewer-tokens/viewer-tokens.ts';

const usableKeys = readSql('usable-keys');

interface Watcher {
  /** Id of the key, without the prefix of principals. Absent for a login. */
  readonly keyId: string | undefined;
  /** The session of the console, which a sign-out ends. */
  readonly session: string | undefined;
  /** Id of the viewer token, which ends when it or its API key is revoked. */
  readonly viewerToken: string | undefined;
  /** When the login, the session or the viewer token expires, ms since the epoch. Absent for a key. */
  readonly expiresAt: number | undefined;
  /** Who may be blocked. */
  readonly subject: string | undefined;
  readonly onUnusable: () => void;
}

/**
 * Ends long requests, such as streams, when their key or viewer token is revoked, their subject is blocked, the person signs out, or one of
 * these credentials expires. It does not matter which replica did that: one query per
 * interval asks the store about the keys of all streams of this replica, one about their subjects, one about their sessions, and one about
 * their viewer tokens. While there is no stream, no query runs. While the store fails, the streams of keys stay open; they show nothing new
 * then. Those of logins end at their time in any case.
 */
export class KeyWatch {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #intervalMs: number;
  /** Owned by this object. */
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs how often the keys are looked up, ms */
  constructor(database: Database, now: () => number, intervalMs = 500) {
    this.#database = database;
    this.#now = now;
    this.#intervalMs = intervalMs;
  }

  /**
   * Calls `onUnusable` once, when the principal's key, login, session or token can't be used any more.
   *
   * @returns a function that ends the watch
   */
  watch({ id, expiresAt, subject, session, viewer }: Principal, onUnusable: () => void): () => void {
    const keyId = /^key:(.+)$/.exec(id)?.[1];
    // The operator of a store in this process has no key.
    if (keyId === undefined && expiresAt === undefined) return () => {};
    const watcher: Watcher = { keyId, expiresAt, subject, session, viewerToken: viewer?.token, onUnusable };
    this.#watchers.add(watcher);
    this.#schedule();
    return () => this.#watchers.delete(watcher);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#watchers.size === 0) return;
    this.#timer = setTimeout(async () => {
      await this.#look().catch(() => undefined);
      this.#timer = undefined;
      this.#schedule();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    for (const watcher of this.#watchers) {
      if (watcher.expiresAt !== undefined && watcher.expiresAt <= this.#now()) this.#end(watcher);
    }
    await this.#lookForBlocked();
    await this.#lookForEnded('session', usableAmong);
    await this.#lookForEnded('viewerToken', usableViewerTokens);
    // A watch that begins during the query is not judged by its answer.
    const asked = [...this.#watchers].flatMap((watcher) =>
      watcher.keyId === undefined ? [] : [{ watcher, keyId: watcher.keyId }],
    );
    if (asked.length === 0) return;
    const ids = [...new Set(asked.map(({ keyId }) => keyId))];
    const rows = await this.#database.query<{ id: string }>(writer, usableKeys, [
      ids,
      new Date(this.#now()).toISOString(),
    ]);
    const usable = new Set(rows.map(({ id }) => id));
    for (const { watcher, keyId } of asked) if (!usable.has(keyId)) this.#end(watcher);
  }

  async #lookForBlocked(): Promise<void> {
    const subjects = new Set([...this.#watchers].flatMap(({ subject }) => subject ?? []));
    const blocked = await blockedAmong(this.#queries(), [...subjects]);
    for (const watcher of this.#watchers)
      if (watcher.subject !== undefined && blocked.has(watcher.subject)) this.#end(watcher);
  }

  async #lookForEnded(kind: 'session' | 'viewerToken', usableOf: typeof usableAmong): Promise<void> {
    // A watch that begins during the query is not judged by its answer.
    const asked = [...this.#watchers].flatMap((watcher) => {
      const id = watcher[kind];
      return id === undefined ? [] : [{ watcher, id }];
    });
    const ids = [...new Set(asked.map(({ id }) => id))];
    const usable = await usableOf(this.#queries(), ids, this.#now());
    for (const { watcher, id } of asked) if (!usable.has(id)) this.#end(watcher);
  }

  #queries(): Queries {
    return { query: (sql, parameters) => this.#database.query(writer, sql, parameters) };
  }

  #end(watcher: Watcher): void {
    if (this.#watchers.delete(watcher)) watcher.onUnusable();
  }
}
