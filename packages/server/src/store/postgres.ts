import pg from 'pg';
import { ServerError } from '../errors.ts';
import { CopyIn } from './copy-in.ts';
import {
  type Access,
  type Database,
  defaultTimeouts,
  type Row,
  type Session,
  sqlState,
  type Timeouts,
  tenantsSetting,
  transactionSettings,
} from './database.ts';

export interface PostgresOptions {
  readonly url: string;
  /** @defaultValue 10 */
  readonly maxConnections?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** Shown in pg_stat_activity. @defaultValue 'tallystick' */
  readonly applicationName?: string;
}

// Sequence numbers and counts stay far below 2^53; a value that doesn't is an error, not a rounded number.
const types: pg.CustomTypesConfig = {
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

/** A PostgreSQL server, 15 or later. */
export class PostgresDatabase implements Database {
  readonly kind = 'postgres';
  readonly #pool: pg.Pool;
  readonly #timeouts: Timeouts;

  constructor(options: PostgresOptions) {
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections ?? 10,
      application_name: options.applicationName ?? 'tallystick',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types,
    });
    // A connection that dies while idle is replaced at the next query; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken: Error | undefined;
    // A connection that the server ends in mid-transaction reports it here as well as to the running query.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query(transactionSettings(access, this.#timeouts));
      if (access.role === 'reader') {
        await client.query("select set_config('tallystick.tenants', $1, true)", [
          tenantsSetting(access.tenants),
        ]);
      }
      const evict = () => {
        const pid = (client as unknown as { processID?: number }).processID;
        if (pid !== undefined) this.evictBlockers(pid).catch(() => undefined);
      };
      const result = await work(new PostgresSession(client, this.#timeouts.lockMs * 0.8, evict));
      await client.query('commit');
      return result;
    } catch (error) {
      try {
        await client.query('rollback');
      } catch (rollbackError) {
        broken = rollbackError as Error;
      }
      throw asUnavailable(error);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async query<R extends object = Row>(
    access: Access,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    return await this.transaction(access, (session) => session.query<R>(sql, parameters));
  }

  /**
   * Ends whoever has been holding a lock that `pid` waits for longer than the lock time-out: a client that froze in a
   * transaction outlives every time-out of its own, and its successors would wait for ever. It loses nothing: what it
   * had not committed was not acknowledged.
   *
   * @returns how many sessions were ended
   */
  async evictBlockers(pid: number): Promise<number> {
    const client = await this.#connect();
    try {
      const result = await client.query(
        `select count(pg_terminate_backend(a.pid))::int as evicted
           from pg_stat_activity a
          where a.pid = any (pg_blocking_pids($1))
            and a.usename = current_user
            and a.xact_start < clock_timestamp() - make_interval(secs => $2)`,
        [pid, this.#timeouts.lockMs / 1000],
      );
      return result.rows[0].evicted as number;
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (cause) {
      throw new ServerError('STORE_UNAVAILABLE', 'no connection to PostgreSQL', { cause });
    }
  }
}

class PostgresSession implements Session {
  readonly #client: pg.PoolClient;

  readonly #patienceMs: number;
  readonly #onStuck: () => void;

  constructor(client: pg.PoolClient, patienceMs: number, onStuck: () => void) {
    this.#client = client;
    this.#patienceMs = patienceMs;
    this.#onStuck = onStuck;
  }

  async query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    // Just before the lock time-out, while it can still be seen who holds the lock.
    const timer = setTimeout(this.#onStuck, this.#patienceMs);
    try {
      const result =
        parameters === undefined
          ? await this.#client.query(sql)
          : await this.#client.query({ text: sql, values: parameters as unknown[] });
      return result.rows as R[];
    } finally {
      clearTimeout(timer);
    }
  }

  async copy(statement: string, chunks: Iterable<string>): Promise<void> {
    await this.#client.query(new CopyIn(statement, chunks)).done;
  }
}

/** Errors of the connection, not of the statement: nothing is known to be wrong with what was asked. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'ENOENT']);

/**
 * Connection exceptions; out of resources; ended by an administrator, a crash or a shutdown; ended by the server because
 * this process sat idle in the transaction. Nothing was committed.
 */
const lostStates = /^(?:08|53|57P|25P03|25P04)/;

function asUnavailable(error: unknown): unknown {
  if (error instanceof ServerError || !(error instanceof Error)) return error;
  const state = sqlState(error);
  const lost =
    state === undefined
      ? connectionErrors.has((error as { code?: string }).code ?? '') ||
        /Connection terminated|not queryable/.test(error.message)
      : lostStates.test(state);
  return lost
    ? new ServerError('STORE_UNAVAILABLE', 'the store is unavailable', {
        cause: error,
        details: { sqlState: state },
      })
    : error;
}
