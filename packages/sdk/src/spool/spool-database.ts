import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openSqlite } from './sqlite.ts';

/** `PRAGMA user_version` of the file. A file with a higher version is refused and left unchanged. */
const spoolFormat = 1;
const fileName = 'spool.sqlite';

const schema = `
  create table event (
    row integer primary key, producer_id text not null, tenant_id text not null, sequence integer not null,
    audit_id text not null, event_type text not null, created_at integer not null, bytes integer not null,
    body text not null
  ) strict;
  create table gap (
    producer_id text not null, tenant_id text not null, from_seq integer not null, to_seq integer not null,
    reason text not null
  ) strict;
  create table final (
    producer_id text not null, tenant_id text not null, final_seq integer not null,
    primary key (producer_id, tenant_id)
  ) strict;
  create table dead_letter (
    audit_id text not null, tenant_id text not null, event_type text not null, body text not null,
    reason text not null, buried_at integer not null
  ) strict;
  pragma user_version = ${spoolFormat};
`;

/**
 * The SQLite file of a spool, with an exclusive lock. Owned by the spool's thread.
 *
 * A committed transaction is durable (`synchronous = FULL` with a write-ahead log). After a crash during a transaction, the file
 * is as it was before the transaction.
 */
export class SpoolDatabase {
  readonly sqlite: DatabaseSync;
  readonly #path: string;
  readonly #inode: number;

  /** @throws {Error} with code `SPOOL_LOCKED` if another emitter, of this or another process, uses the directory */
  constructor(directory: string) {
    makeDirectory(directory);
    this.#path = join(directory, fileName);
    this.sqlite = openSqlite(this.#path);
    try {
      lock(this.sqlite);
      this.#createSchema();
      this.#inode = statSync(this.#path).ino;
    } catch (cause) {
      this.sqlite.close();
      throw cause;
    }
  }

  #createSchema(): void {
    const { user_version: version } = this.sqlite.prepare('pragma user_version').get() as {
      user_version: number;
    };
    if (version > spoolFormat) {
      const message = `the spool has format ${version}; this version reads up to ${spoolFormat}`;
      throw spoolError('SPOOL_FAILED', message);
    }
    if (version === 0) this.transaction(() => this.sqlite.exec(schema));
  }

  /** SQLite writes to a deleted file without an error (some systems clean up /tmp), but no later process would find it. */
  requireFile(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw spoolError('SPOOL_FAILED', 'the file of the spool was removed while it was open');
  }

  transaction(work: () => void): void {
    this.sqlite.exec('begin immediate');
    try {
      work();
      this.sqlite.exec('commit');
    } catch (error) {
      // A commit that fails because the disk is full may already have ended the transaction.
      if (this.sqlite.isTransaction) this.sqlite.exec('rollback');
      throw error;
    }
  }

  /** A transaction without an fsync. The next {@link transaction} makes it durable too. */
  transactionWithoutSync(work: () => void): void {
    this.sqlite.exec('pragma synchronous = normal');
    try {
      this.transaction(work);
    } finally {
      this.sqlite.exec('pragma synchronous = full');
    }
  }

  close(): void {
    this.sqlite.close();
  }
}

/** Takes a lock that the operating system releases when the process ends. */
function lock(sqlite: DatabaseSync): void {
  try {
    sqlite.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full');
    sqlite.exec('begin exclusive; commit');
  } catch (cause) {
    if (!/locked|busy/i.test(String(cause))) throw cause;
    throw spoolError('SPOOL_LOCKED', 'another emitter uses this spool directory');
  }
}

/**
 * Creates a directory that only this user may read, since it will contain events. Node's own `recursive` option (Node 24) loops
 * without end where directories can't be created, such as in `/proc`; the thread would then keep the process from ending.
 */
function makeDirectory(path: string): void {
  const parent = dirname(path);
  for (let parentMade = parent === path; ; parentMade = true) {
    try {
      mkdirSync(path, { mode: 0o700 });
      return;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EEXIST' && statSync(path).isDirectory()) return;
      if (code !== 'ENOENT' || parentMade) throw cause;
    }
    makeDirectory(parent);
  }
}

function spoolError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
