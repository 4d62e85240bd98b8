import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ServerError } from '../errors.ts';

/**
 * Holds a data directory for one process: an exclusive SQLite transaction that is never ended. The operating system
 * drops it with the process, however it dies, so there is no stale lock to clean up and no pid to be reused.
 */
export class DirectoryLock {
  readonly #database: DatabaseSync;

  /**
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED` while another process holds it
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(join(directory, 'lock.sqlite'));
    try {
      this.#database.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
    } catch (cause) {
      this.#database.close();
      throw new ServerError(
        'DATA_DIRECTORY_LOCKED',
        `another process has ${directory} open; stop it, or talk to it over HTTP`,
        { cause, details: { directory } },
      );
    }
  }

  release(): void {
    this.#database.close();
  }
}
