import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../errors.ts';
import { makeDirectory } from '../store/make-directory.ts';
import { openSqlite } from '../store/sqlite.ts';

/** How long the start may wait for the file's lock, ms. */
const openingMs = 5_000;
/** How long a synchronous call may wait for the lock, ms. The whole process waits: no longer than a slow disk's sync. */
const waitMs = 200;
/** How long {@link SignerDatabase.patiently} retries, and the pause between two tries, ms. */
const patienceMs = 2_000;
const pauseMs = 25;

/** SQLite's result code for a file that another process has locked. */
const SQLITE_BUSY = 5;

/** Another process has held the file's lock for longer than a write takes. That process may be frozen. */
export class SignerLocked extends ServerError {
  constructor(cause: unknown) {
    super('STORE_UNAVAILABLE', "the signer's directory is locked by another process", { cause });
  }
}

/**
 * The SQLite file in the signer's directory. Several processes may share it. Every call throws {@link SignerLocked} where
 * another process holds the file's lock and does not release it: SQLite cannot take the lock from a frozen process.
 */
export class SignerDatabase {
  readonly #database: DatabaseSync;

  /**
   * Opens the file, and makes it with its tables where it does not exist.
   *
   * @throws {ServerError} `CONFIG_INVALID`
   */
  constructor(directory: string, schema: string) {
    try {
      makeDirectory(directory);
      const path = join(directory, 'signer.sqlite');
      this.#database = openSqlite(path);
      chmodSync(path, 0o600);
      this.#database.exec(`
        pragma busy_timeout = ${openingMs};
        pragma journal_mode = delete;
        pragma synchronous = extra;
        pragma secure_delete = on;
        ${schema}
      `);
    } catch (cause) {
      if (cause instanceof ServerError) throw cause;
      throw new ServerError('CONFIG_INVALID', `the signer's directory ${directory} cannot be used`, {
        cause,
      });
    }
  }

  /** Ends the start, in which calls may wait for long. From now on each call waits for at most 200 ms. */
  endOpening(): void {
    this.#database.exec(`pragma busy_timeout = ${waitMs}`);
  }

  /** Retries `call` for two seconds while the file is locked. The process does other work between the tries. */
  async patiently<T>(call: () => T): Promise<T> {
    for (const deadline = performance.now() + patienceMs; ; await delay(pauseMs * (0.5 + Math.random()))) {
      try {
        this.#database.exec('pragma busy_timeout = 0');
        return call();
      } catch (error) {
        if (!(error instanceof SignerLocked) || performance.now() > deadline) throw error;
      } finally {
        this.endOpening();
      }
    }
  }

  get(sql: string, ...values: SQLInputValue[]): unknown {
    return unlessLocked(() => this.#database.prepare(sql).get(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): unknown[] {
    return unlessLocked(() => this.#database.prepare(sql).all(...values));
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    unlessLocked(() => this.#database.prepare(sql).run(...values));
  }

  /** Runs `work` in one transaction that locks the file for writing from its beginning. */
  inTransaction<T>(work: () => T): T {
    unlessLocked(() => this.#database.exec('begin immediate'));
    try {
      const result = work();
      unlessLocked(() => this.#database.exec('commit'));
      return result;
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function unlessLocked<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    // The low byte of an extended result code is the primary code.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) throw new SignerLocked(error);
    throw error;
  }
}
