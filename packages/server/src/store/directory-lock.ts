import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ServerError } from '../errors.ts';
import { makeDirectory } from './make-directory.ts';
import { openSqlite } from './sqlite.ts';

/**
 * Reserves a data directory for one process: an exclusive SQLite transaction that stays open. The operating system
 * releases it when the process ends, however it ends, so there is no stale lock to clean up and no process id that a later
 * process could reuse.
 *
 * The spool of the SDK takes its lock in the same way, on the database that holds its events. It cannot share this class:
 * the SDK must not import the server, and its lock also opens the write-ahead log of that database.
 */
export class DirectoryLock {
  readonly #database: DatabaseSync;

  /**
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED` while another process holds it; `CONFIG_INVALID` if the directory can't be made
   */
  constructor(directory: string) {
    try {
      makeDirectory(directory);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new ServerError(
        'CONFIG_INVALID',
        `the data directory ${directory} can't be made (${code}): name another one`,
        {
          cause,
        },
      );
    }
    this.#database = openSqlite(join(directory, 'lock.sqlite'));
    try {
      this.#database.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
    } catch (cause) {
      this.#database.close();
      throw new ServerError(
        'DATA_DIRECTORY_LOCKED',
        `another process has ${directory} open; stop that process, or use its HTTP API`,
        { cause, details: { directory } },
      );
    }
  }

  release(): void {
    this.#database.close();
  }
}
