import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite, type Transaction, types } from '@electric-sql/pglite';
import { ServerError } from '../errors.ts';
import {
  type Access,
  type CopyIn,
  type CopyResult,
  copyUnfinished,
  type Database,
  defaultTimeouts,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  transactionSettings,
  uniqueViolationAsResult,
} from './database.ts';
import { plainRoles } from './database-roles.ts';
import { DirectoryLock } from './directory-lock.ts';
import { sessionSettingsSql } from './session-settings.ts';

/**
 * Postgres in this process. Committed data survives a killed process but not a power cut: PGlite runs without fsync.
 * A user who can open the directory is its superuser, so roles only protect against mistakes here.
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
   * @param directory holds the data; without it the data is kept in memory
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED` while another process has it open
   */
  static async open(directory?: string): Promise<PgliteDatabase> {
    const lock = directory === undefined ? undefined : new DirectoryLock(directory);
    try {
      const pglite = await PGlite.create({
        ...(directory !== undefined && { dataDir: await ensureCluster(directory) }),
        parsers: { [types.INT8]: (text: string) => Number(text), [types.TIMESTAMPTZ]: parseTime },
      });
      await pglite.exec(sessionSettingsSql);
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
    const settings = transactionSettings(access, defaultTimeouts, plainRoles);
    return await this.#pglite.transaction(async (transaction) => {
      const session = new PgliteSession(transaction);
      await session.pipeline(settings);
      const result = await work(session);
      if (session.hasUnfinishedCopy) throw copyUnfinished();
      return result;
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

  /** Runs `work` in a transaction as the superuser: migrations, and tests that act as the operator. */
  async asOwner<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#pglite.transaction((transaction) => work(new PgliteSession(transaction)));
  }

  async close(): Promise<void> {
    await this.#pglite.close();
    this.#lock?.release();
  }
}

/**
 * Creates the directory of the cluster beside its final place and moves it there when it is complete. Otherwise a process
 * that is killed while it writes the first files would leave a directory that cannot be opened.
 */
async function ensureCluster(directory: string): Promise<string> {
  const cluster = join(directory, 'postgres');
  if (existsSync(cluster)) return cluster;
  const fresh = join(directory, 'postgres.new');
  rmSync(fresh, { recursive: true, force: true });
  const pglite = await PGlite.create(fresh);
  await pglite.close();
  renameSync(fresh, cluster);
  // A crash before this line leaves `postgres.new`, which the next start deletes; a crash after it, a complete cluster.
  return cluster;
}

/** PGlite's own parser uses `Date`, which reads the year 1 as 2001. The session's time zone is UTC. */
function parseTime(text: string): Date {
  return new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
}

class PgliteSession implements Session {
  readonly #transaction: Transaction;
  #unfinishedCopy: PgliteCopy | undefined;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  get hasUnfinishedCopy(): boolean {
    return this.#unfinishedCopy !== undefined;
  }

  async query<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    if (parameters === undefined) {
      const results = await this.#transaction.exec(sql);
      return (results.at(-1)?.rows ?? []) as R[];
    }
    return (await this.#transaction.query<R>(sql, [...parameters])).rows;
  }

  // In this process there is no round trip to save, and no connection on which statements could stay prepared.
  async pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>> {
    const results: object[][] = [];
    for (const { text, values } of statements) results.push(await this.query(text, values ?? []));
    return results as RowsOf<S>;
  }

  beginCopy(copy: string, before: readonly Statement[] = []): CopyIn {
    this.#unfinishedCopy = new PgliteCopy(async (rows, after) => {
      this.#unfinishedCopy = undefined;
      await this.pipeline(...before);
      const blob = new Blob(rows);
      await this.#transaction.query(copy.replace(/from stdin/i, "from '/dev/blob'"), [], { blob });
      await this.pipeline(...after);
    });
    return this.#unfinishedCopy;
  }
}

/** PGlite reads the rows of a COPY from one file in memory, so they are collected first. */
class PgliteCopy implements CopyIn {
  readonly #store: (rows: string[], after: readonly Statement[]) => Promise<void>;
  readonly #rows: string[] = [];

  constructor(store: (rows: string[], after: readonly Statement[]) => Promise<void>) {
    this.#store = store;
  }

  async write(rows: string): Promise<boolean> {
    this.#rows.push(rows);
    return true;
  }

  async finish(after: readonly Statement[] = []): Promise<CopyResult> {
    return await uniqueViolationAsResult(this.#store(this.#rows, after));
  }
}
