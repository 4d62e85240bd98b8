import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ServerError } from '../errors.ts';
import { AnswerWatch } from './answer-watch.ts';
import {
  type Access,
  type Around,
  type Database,
  defaultTimeouts,
  type Eviction,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  sqlState,
  type Timeouts,
  transactionSettings,
} from './database.ts';
import { LockWarden } from './lock-warden.ts';
import { Pipeline, type Step } from './pipeline.ts';

/** Which PostgreSQL server, and how many connections. */
export interface PostgresOptions {
  readonly url: string;
  /** @defaultValue 10 */
  readonly maxConnections?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** Shown in pg_stat_activity. @defaultValue 'tallystick' */
  readonly applicationName?: string;
  /** Told of each session that was ended because it held a lock and had stopped. */
  readonly onEviction?: (eviction: Eviction) => void;
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

/**
 * So that the server too finds out about a client that is gone without a word, and drops its locks: unanswered data for 15
 * seconds, or three probes of a silent connection. They hold for a TCP connection, and say nothing for a socket file.
 */
const sessionSettings = `set tcp_user_timeout = 15000; set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 5;
  set tcp_keepalives_count = 3`;

/**
 * A connection that was not heard of for longer than this is asked for a sign of life before what may have to wait for a
 * lock, ms. Under load that would only be one more answer to read.
 */
const trustedMs = 1_000;

const begin: Statement = { name: 'tally_begin', text: 'begin isolation level read committed' };

/** How long connections that are being closed may take to say goodbye, ms. */
const goodbyeMs = 1_000;

/** A PostgreSQL server, 15 or later. Whatever it is asked ends within the bounds of {@link Timeouts}. */
export class PostgresDatabase implements Database {
  readonly kind = 'postgres';
  readonly #pool: pg.Pool;
  /** The warden's own connection: those who wait for locks may have taken all of the pool's. */
  readonly #wardenPool: pg.Pool;
  readonly #warden: LockWarden;
  readonly #timeouts: Timeouts;
  /** Every open connection, and when it was last heard of, ms. Owned by this object. */
  readonly #heard = new Map<pg.ClientBase, number>();
  /** When a connection was last given up because the server was silent: those not heard of since are not to be trusted. */
  #silentAt = Number.NEGATIVE_INFINITY;
  #closing = false;

  constructor(options: PostgresOptions) {
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#pool = this.#makePool(options, options.maxConnections ?? 10);
    this.#wardenPool = this.#makePool(options, 1);
    this.#warden = new LockWarden(
      this.#timeouts,
      (sql, parameters) => this.#lookAtLocks(sql, parameters),
      options.onEviction ?? (() => {}),
    );
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    const opening = [begin, transactionSettings(access, this.#timeouts)];
    const client = await this.#connect(this.#pool);
    let broken: Error | undefined;
    // A connection that the server ends in mid-transaction reports it here as well as to the running query.
    const onError = (error: Error) => {
      broken ??= error;
    };
    client.on('error', onError);
    let committing = false;
    const session = this.#sessionOn(client, opening);
    try {
      const result = await work(session);
      if (!session.begun) return result;
      committing = true;
      const { command } = await this.#answered(client, this.#timeouts.answerMs, client.query('commit'));
      // So the server says that a statement had failed, whatever became of its error.
      if (command === 'ROLLBACK') throw new Error('a transaction that had failed was to be committed');
      // A crash from here on loses nothing: what is committed stays, whether or not its caller hears of it.
      return result;
    } catch (error) {
      if (session.begun) {
        await this.#answered(client, this.#timeouts.connectMs, client.query('rollback')).catch(onError);
      }
      throw asUnavailable(error, committing);
    } finally {
      client.off('error', onError);
      this.#release(client, broken);
    }
  }

  async query<R extends object = Row>(
    access: Access,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    return await this.transaction(access, (session) => session.query<R>(sql, parameters));
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#warden.stop();
    // Transactions that run end by themselves, in bounded time.
    await Promise.all([this.#pool.end(), this.#wardenPool.end()]);
    // The pool does not wait for goodbyes, but their sockets would keep the process alive: for ever, if nobody answers.
    const open = [...this.#heard.keys()];
    const gone = Promise.all(open.map((client) => new Promise((resolve) => client.once('end', resolve))));
    await Promise.race([gone, delay(goodbyeMs, undefined, { ref: false })]);
    for (const client of this.#heard.keys()) streamOf(client).destroy();
  }

  /** The transaction begins with the first statement, in the same round trip. */
  #sessionOn(client: pg.PoolClient, opening: readonly Statement[]): PostgresSession {
    const { connectMs, answerMs } = this.#timeouts;
    return new PostgresSession(opening, async (steps) => {
      const watch = new AnswerWatch(client);
      const isFirst = steps[0] === begin;
      const asksFirst = isFirst && performance.now() - (this.#heard.get(client) ?? 0) > trustedMs;
      const pipeline = new Pipeline(steps, {
        types,
        onProgress: () => watch.progressed(),
        ...(asksFirst && { answerFirst: opening.length }),
      });
      // What is copied may wait too: a duplicate waits for whoever holds its like.
      const rows = this.#warden.guard(client, client.query(pipeline).done);
      const answered = await watch.wait(answerMs, rows, asksFirst ? connectMs : answerMs);
      this.#heard.set(client, performance.now());
      return answered;
    });
  }

  #makePool(options: PostgresOptions, max: number): pg.Pool {
    const pool = new pg.Pool({
      connectionString: options.url,
      max,
      application_name: options.applicationName ?? 'tallystick',
      connectionTimeoutMillis: this.#timeouts.connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types,
    });
    // A connection that dies while idle is replaced at the next query; without a listener it would end the process. So it
    // would between the pool and whoever asked it: the last words of a server may come with the first.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }

  /** A connection that the server was heard on lately, or a new one. */
  async #connect(pool: pg.Pool): Promise<pg.PoolClient> {
    try {
      for (;;) {
        const client = await pool.connect();
        const heardAt = this.#heard.get(client);
        if (heardAt === undefined) return await this.#welcome(client);
        if (heardAt > this.#silentAt) return client;
        this.#release(client, new Error('silent'));
      }
    } catch (cause) {
      throw new ServerError('STORE_UNAVAILABLE', 'no connection to PostgreSQL', { cause });
    }
  }

  async #welcome(client: pg.PoolClient): Promise<pg.PoolClient> {
    this.#heard.set(client, performance.now());
    client.once('end', () => this.#heard.delete(client));
    try {
      await this.#answered(client, this.#timeouts.connectMs, client.query(sessionSettings));
      return client;
    } catch (error) {
      this.#release(client, error as Error);
      throw error;
    }
  }

  /** Waits for the answer to something short of a statement, and remembers that there was one. */
  async #answered<T>(client: pg.ClientBase, limitMs: number, answer: Promise<T>): Promise<T> {
    const result = await new AnswerWatch(client).wait(limitMs, answer);
    this.#heard.set(client, performance.now());
    return result;
  }

  #release(client: pg.PoolClient, broken: Error | undefined): void {
    if ((broken as { code?: string } | undefined)?.code === 'ETIMEDOUT') this.#silentAt = performance.now();
    // Without a goodbye, whose answer may never come: the pool would wait for it.
    if (broken !== undefined || this.#closing) streamOf(client).destroy();
    client.release(broken);
  }

  async #lookAtLocks<R extends object>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    const client = await this.#connect(this.#wardenPool);
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken ??= error;
    };
    client.on('error', onError);
    try {
      const asked = client.query(sql, parameters as unknown[]);
      return (await this.#answered(client, this.#timeouts.connectMs, asked)).rows as R[];
    } finally {
      client.off('error', onError);
      this.#release(client, broken);
    }
  }
}

function streamOf(client: pg.ClientBase): { destroy(): unknown } {
  return (client as pg.ClientBase & { readonly connection: pg.Connection }).connection.stream;
}

class PostgresSession implements Session {
  readonly #run: (steps: readonly Step[]) => Promise<Row[][]>;
  /** What begins the transaction, until it is sent. */
  #opening: readonly Statement[] | undefined;

  constructor(opening: readonly Statement[], run: (steps: readonly Step[]) => Promise<Row[][]>) {
    this.#opening = opening;
    this.#run = run;
  }

  get begun(): boolean {
    return this.#opening === undefined;
  }

  async query<R extends object = Row>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    const [rows] = await this.pipeline({ text, values });
    return rows as object[] as R[];
  }

  async pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>> {
    return (await this.#send(statements as readonly Statement[])) as object[][] as RowsOf<S>;
  }

  async copy(copy: string, chunks: Iterable<string>, { before = [], after }: Around = {}): Promise<void> {
    await this.#send([...before, { copy, chunks }, ...(after === undefined ? [] : [after])]);
  }

  async #send(steps: readonly Step[]): Promise<Row[][]> {
    if (steps.length === 0) return [];
    const opening = this.#opening ?? [];
    this.#opening = undefined;
    return (await this.#run([...opening, ...steps])).slice(opening.length);
  }
}

/** Errors of the connection, not of the statement: nothing is known to be wrong with what was asked. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'ENOENT']);

/**
 * Connection exceptions; out of resources; ended by an administrator, a crash or a shutdown; ended by the server because
 * this process sat idle in the transaction. Nothing was committed.
 */
const lostStates = /^(?:08|53|57P|25P03|25P04)/;

/** @param committing whether the commit had been sent, so that it may or may not have happened */
function asUnavailable(error: unknown, committing: boolean): unknown {
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
        details: { sqlState: state, ...(committing && { outcome: 'unknown' }) },
      })
    : error;
}
