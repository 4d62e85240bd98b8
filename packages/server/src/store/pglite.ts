import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite, type Transaction, types } from '@electric-sql/pglite';
import { ServerError } from '../errors.ts';
import {
  type Access,
  type Around,
  type Database,
  defaultTimeouts,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  transactionSettings,
} from './database.ts';
import { DirectoryLock } from './directory-lock.ts';

/**
 * Postgres in process. What is committed survives a killed process, not a power cut: it runs without fsync. Everyone
 * who can open the directory is its superuser, so roles only guard against mistakes here.
 */
export class PgliteDatabase implements Database {
  readonly kind = 'pglite';
  readonly #pglite: PGlite;
  readonly #lock: DirectoryLock | undefined;

  private constructor(pglite: PGlite, lock: DirectoryLock | undefined) {
    this.#pglite = pglite;
    this.#lock = lock;
  }

  /**
   * @param directory where the data is kept; in memory where absent
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED` while another process has it open
   */
  static async open(directory?: string): Promise<PgliteDatabase> {
    const lock = directory === undefined ? undefined : new DirectoryLock(directory);
    try {
      const pglite = await PGlite.create({
        ...(directory !== undefined && { dataDir: await ensureCluster(directory) }),
        parsers: { [types.INT8]: (text: string) => Number(text), [types.TIMESTAMPTZ]: parseTime },
      });
      await pglite.exec("set timezone = 'UTC'");
      return new PgliteDatabase(pglite, lock);
    } catch (cause) {
      lock?.release();
      throw new ServerError('STORE_UNAVAILABLE', 'the embedded store could not be opened', {
        cause,
        details: { directory },
      });
    }
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    const settings = transactionSettings(access, defaultTimeouts);
    return await this.#pglite.transaction(async (transaction) => {
      const session = new PgliteSession(transaction);
      await session.pipeline(settings);
      return await work(session);
    });
  }

  async query<R extends object = Row>(
    access: Access,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    return await this.transaction(access, (session) => session.query<R>(sql, parameters));
  }

  /** Runs a script as the superuser: migrations only. */
  async execute(script: string): Promise<void> {
    await this.#pglite.exec(script);
  }

  /** Runs `work` in a transaction as the superuser: migrations, and whoever plays the operator in a test. */
  async asOwner<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#pglite.transaction((transaction) => work(new PgliteSession(transaction)));
  }

  async close(): Promise<void> {
    await this.#pglite.close();
    this.#lock?.release();
  }
}

/**
 * The directory of the cluster, which is made beside its place and moved there whole: a process that is killed while it
 * writes the first files would otherwise leave a directory that nothing can open.
 */
async function ensureCluster(directory: string): Promise<string> {
  const cluster = join(directory, 'postgres');
  if (existsSync(cluster)) return cluster;
  const fresh = join(directory, 'postgres.new');
  rmSync(fresh, { recursive: true, force: true });
  const pglite = await PGlite.create(fresh);
  await pglite.close();
  renameSync(fresh, cluster);
  // A crash before this leaves `postgres.new`, which the next start throws away; after it, a whole cluster.
  return cluster;
}

/** The engine's own parser leaves it to `Date`, which takes the year 1 for 2001. The session's time zone is UTC. */
function parseTime(text: string): Date {
  return new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
}

class PgliteSession implements Session {
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  async query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    if (parameters === undefined) {
      const results = await this.#transaction.exec(sql);
      return (results.at(-1)?.rows ?? []) as R[];
    }
    return (await this.#transaction.query<R>(sql, [...parameters])).rows;
  }

  // In process there is no round trip to save, nor a connection to remember what was parsed.
  async pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>> {
    const results: object[][] = [];
    for (const { text, values } of statements) results.push(await this.query(text, values ?? []));
    return results as RowsOf<S>;
  }

  async copy(statement: string, chunks: Iterable<string>, { before, after }: Around = {}): Promise<void> {
    await this.pipeline(...(before ?? []));
    const blob = new Blob([...chunks]);
    await this.#transaction.query(statement.replace(/from stdin/i, "from '/dev/blob'"), [], { blob });
    await this.pipeline(...(after?.() ?? []));
  }
}
