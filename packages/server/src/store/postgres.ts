import type pg from 'pg';
import {
  type Access,
  copyUnfinished,
  type Database,
  defaultTimeouts,
  type Eviction,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  type Timeouts,
  transactionSettings,
} from './database.ts';
import { refuseSharedSessions } from './pooler-check.ts';
import { PostgresConnections } from './postgres-connections.ts';
import { asUnavailable, isReadOnly } from './postgres-errors.ts';
import { PostgresSession } from './postgres-session.ts';
import { StuckSessionReaper } from './stuck-session-reaper.ts';

/** Which PostgreSQL server, and how many connections. */
export interface PostgresOptions {
  readonly url: string;
  /** @defaultValue 10 */
  readonly maxConnections?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** Shown in pg_stat_activity. @defaultValue 'tallystick' */
  readonly applicationName?: string;
  /** Called for each session that was terminated because it held a lock and had stopped. */
  readonly onEviction?: (eviction: Eviction) => void;
}

const begin: Statement = { name: 'tally_begin', text: 'begin isolation level read committed' };
const commit: Statement = { name: 'tally_commit', text: 'commit' };

/** A PostgreSQL server, 15 or later. Every call ends within the bounds of {@link Timeouts}. */
export class PostgresDatabase implements Database {
  readonly kind = 'postgres';
  readonly #connections: PostgresConnections;
  readonly #reaper: StuckSessionReaper;
  readonly #timeouts: Timeouts;

  constructor(options: PostgresOptions) {
    const { url, maxConnections = 10, applicationName = 'tallystick' } = options;
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#connections = new PostgresConnections(
      { url, applicationName, timeouts: this.#timeouts },
      maxConnections,
    );
    this.#reaper = new StuckSessionReaper(
      this.#timeouts,
      (sql, parameters) => this.#connections.monitor(sql, parameters),
      options.onEviction ?? (() => {}),
    );
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    const connections = this.#connections;
    return await connections.use(async (client, onBroken) => {
      const session = this.#sessionOn(client, access);
      let committing = false;
      try {
        const result = await work(session);
        if (session.hasUnfinishedCopy) throw copyUnfinished();
        if (!session.begun) return result;
        committing = true;
        const { command } = await connections.answer(client, this.#timeouts.answerMs, client.query('commit'));
        // The server answers a commit with ROLLBACK when a statement had failed, even if `work` ignored its error.
        if (command === 'ROLLBACK') throw new Error('a transaction that had failed was to be committed');
        // A crash from here on loses nothing: what is committed stays, whether or not the caller learns of it.
        return result;
      } catch (error) {
        await session.abandonCopy();
        if (session.begun) await this.#rollBack(client, onBroken);
        if (isReadOnly(error)) connections.refusedToWrite();
        throw asUnavailable(error, committing);
      }
    });
  }

  async read<const S extends readonly Statement<object>[]>(
    access: Access,
    ...statements: S
  ): Promise<RowsOf<S>> {
    return await this.#connections.use(async (client, onBroken) => {
      const session = this.#sessionOn(client, access);
      try {
        const results = await session.pipeline(...statements, commit);
        return results.slice(0, -1) as object[][] as RowsOf<S>;
      } catch (error) {
        await this.#rollBack(client, onBroken);
        throw asUnavailable(error, false);
      }
    });
  }

  async query<R extends object = Row>(
    access: Access,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    return await this.transaction(access, (session) => session.query<R>(sql, parameters));
  }

  /**
   * Refuses a pooler that shares sessions; see {@link refuseSharedSessions}.
   *
   * @throws {ServerError} `STORE_UNSUITABLE`, `STORE_UNAVAILABLE`
   */
  async refuseSharedSessions(): Promise<void> {
    await this.#connections.check((url) => refuseSharedSessions(url, this.#timeouts.connectMs));
  }

  /** A transaction that begins with its first statement. */
  #sessionOn(client: pg.PoolClient, access: Access): PostgresSession {
    const connections = this.#connections;
    const settings = transactionSettings(access, this.#timeouts, connections.rolesOf(client));
    return new PostgresSession(client, [begin, settings], {
      connections,
      reaper: this.#reaper,
      timeouts: this.#timeouts,
    });
  }

  async #rollBack(client: pg.PoolClient, onBroken: (error: Error) => void): Promise<void> {
    const { connectMs } = this.#timeouts;
    await this.#connections.answer(client, connectMs, client.query('rollback')).catch(onBroken);
  }

  async close(): Promise<void> {
    this.#reaper.stop();
    await this.#connections.close();
  }
}
