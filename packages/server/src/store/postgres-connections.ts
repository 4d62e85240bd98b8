import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ServerError } from '../errors.ts';
import { unreachable } from './connection-fault.ts';
import { sqlState, type Timeouts } from './database.ts';
import { type DatabaseRoles, plainRoles, readRolesSql } from './database-roles.ts';
import { ResponseWatchdog } from './response-watchdog.ts';
import { sessionSettingsSql } from './session-settings.ts';
import { socketOf } from './wire-protocol.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly timeouts: Timeouts;
}

// Sequence numbers and counts stay far below 2^53. A value that does not is an error, not a rounded number.
export const resultTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: string) {
    if (oid === pg.types.builtins.INT8) return parseBigint;
    return pg.types.getTypeParser(oid, format as 'text');
  },
} as pg.CustomTypesConfig;

function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint of the store exceeds 2^53−1');
  return value;
}

/** How long `close()` waits until connections are closed properly, ms. */
const goodbyeMs = 1_000;

/** An open connection. Times are in ms, monotonic. */
interface OpenConnection {
  /** Process id of the session's backend. */
  readonly pid: number;
  readonly roles: DatabaseRoles;
  readonly openedAt: number;
  /** When the server last answered on it. */
  answeredAt: number;
}

/** Connections to one PostgreSQL server. It only lends connections that answered lately, so that a dead network is noticed at once. */
export class PostgresConnections {
  readonly #pool: pg.Pool;
  /** A separate connection to look at locks, because sessions that wait for locks may use up the whole pool. */
  readonly #monitorPool: pg.Pool;
  readonly #timeouts: Timeouts;
  readonly #url: string;
  /** Every connection that is prepared and open. Owned by this object. */
  readonly #open = new Map<pg.ClientBase, OpenConnection>();
  /** When a connection was last ended because its server was silent. Older answers prove nothing any more. */
  #silentAt = Number.NEGATIVE_INFINITY;
  /** When the server last refused to write. A connection from before then may stay read-only for as long as it lives. */
  #readOnlyAt = Number.NEGATIVE_INFINITY;
  #isClosing = false;

  constructor(options: ConnectionOptions, maxConnections: number) {
    this.#timeouts = options.timeouts;
    this.#url = options.url;
    this.#pool = makePool(options, maxConnections);
    this.#monitorPool = makePool(options, 1);
  }

  /**
   * Runs `work` on a connection that no other caller uses meanwhile.
   *
   * @param work receives a function that takes note of an error after which the connection must be closed
   * @throws {ServerError} `STORE_UNAVAILABLE` when there is no connection
   */
  async use<T>(
    work: (client: pg.PoolClient, onBroken: (error: Error) => void) => Promise<T>,
    pool: pg.Pool = this.#pool,
  ): Promise<T> {
    const client = await this.#connect(pool);
    let broken: Error | undefined;
    const onBroken = (error: Error) => {
      broken ??= error;
    };
    // A connection that the server ends during a query reports it here as well as to the query.
    client.on('error', onBroken);
    try {
      return await work(client, onBroken);
    } finally {
      client.off('error', onBroken);
      this.#release(client, broken);
    }
  }

  /**
   * Runs a check that makes connections of its own to the same address.
   *
   * @throws {ServerError} its own, or `STORE_UNAVAILABLE`
   */
  async check(work: (url: string) => Promise<void>): Promise<void> {
    try {
      await work(this.#url);
    } catch (error) {
      throw error instanceof ServerError ? error : unreachable(error, this.#url);
    }
  }

  /** Runs one statement on the connection that is kept for looking at locks. */
  async monitor<R extends object>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    return await this.use(async (client) => {
      const result = client.query(sql, parameters as unknown[]);
      return (await this.answer(client, this.#timeouts.connectMs, result)).rows as R[];
    }, this.#monitorPool);
  }

  /** Waits for an answer of the server, at most `limitMs`, and takes note that it came. */
  async answer<T>(client: pg.ClientBase, limitMs: number, answer: Promise<T>): Promise<T> {
    const result = await new ResponseWatchdog(client).wait(limitMs, answer);
    this.answered(client);
    return result;
  }

  /** Takes note that the server has answered on this connection just now. */
  answered(client: pg.ClientBase): void {
    const open = this.#open.get(client);
    if (open !== undefined) open.answeredAt = performance.now();
  }

  /** How long ago the server last answered on this connection, ms. */
  silenceOf(client: pg.ClientBase): number {
    return performance.now() - (this.#open.get(client)?.answeredAt ?? 0);
  }

  /** Process id of the backend that serves this connection. */
  backendOf(client: pg.ClientBase): number | undefined {
    return this.#open.get(client)?.pid;
  }

  /** The roles of the database, as they were when the connection was opened. */
  rolesOf(client: pg.ClientBase): DatabaseRoles {
    return this.#open.get(client)?.roles ?? plainRoles;
  }

  /**
   * Takes note that the server refused to write. A session keeps the setting that it began with, and an address may lead to
   * another server after a failover, so every connection that is open now is closed before its next use.
   */
  refusedToWrite(): void {
    this.#readOnlyAt = performance.now();
  }

  /** Waits for running transactions, which end in bounded time, and closes every connection. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([this.#pool.end(), this.#monitorPool.end()]);
    // The pool does not wait for goodbyes, but open sockets keep the process alive as long as no server answers them.
    const open = [...this.#open.keys()];
    const closed = Promise.all(open.map((client) => new Promise((resolve) => client.once('end', resolve))));
    await Promise.race([closed, delay(goodbyeMs, undefined, { ref: false })]);
    for (const client of this.#open.keys()) socketOf(client).destroy();
  }

  /** A connection on which the server answered after it was last silent or read-only, or a new one. */
  async #connect(pool: pg.Pool): Promise<pg.PoolClient> {
    try {
      for (;;) {
        const client = await pool.connect();
        const known = this.#open.get(client);
        if (known === undefined) return await this.#prepare(client);
        if (known.answeredAt > this.#silentAt && known.openedAt > this.#readOnlyAt) return client;
        this.#release(client, new Error('the server was silent or read-only on another connection'));
      }
    } catch (cause) {
      throw unreachable(cause, this.#url);
    }
  }

  async #prepare(client: pg.PoolClient): Promise<pg.PoolClient> {
    client.once('end', () => this.#open.delete(client));
    try {
      const script = client.query(sessionSettingsSql) as unknown as Promise<
        pg.QueryResult<{ readonly pid: number }>[]
      >;
      const results = await this.answer(client, this.#timeouts.connectMs, script);
      const roles = await this.answer(client, this.#timeouts.connectMs, readRoles(client));
      const now = performance.now();
      const { pid } = results.at(-1)!.rows[0]!;
      this.#open.set(client, { pid, roles, openedAt: now, answeredAt: now });
      return client;
    } catch (error) {
      this.#release(client, error as Error);
      throw error;
    }
  }

  #release(client: pg.PoolClient, broken: Error | undefined): void {
    if ((broken as { code?: string } | undefined)?.code === 'ETIMEDOUT') this.#silentAt = performance.now();
    // Without a goodbye: the pool would wait for its answer, which may never come.
    if (broken !== undefined || this.#isClosing) socketOf(client).destroy();
    client.release(broken);
  }
}

/** The roles of the database. Without the table, `checkStore` says which migration is missing. */
async function readRoles(client: pg.PoolClient): Promise<DatabaseRoles> {
  try {
    const { rows } = await client.query<DatabaseRoles>(readRolesSql);
    return rows[0] ?? plainRoles;
  } catch (error) {
    if (sqlState(error) === '42P01') return plainRoles;
    throw error;
  }
}

function makePool({ url, applicationName, timeouts }: ConnectionOptions, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: timeouts.connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: resultTypes,
  });
  // An error event without a listener ends the process. It may come while the connection is idle, or between the pool and
  // the caller, when a server ends the connection in the same packet that completes its start.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
