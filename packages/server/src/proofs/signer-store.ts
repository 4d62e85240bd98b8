import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerError } from '../errors.ts';

/** What was last signed for an origin. */
export interface SignedHead {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The signed note; absent if the process died between recording and signing. */
  readonly note: string | undefined;
}

/** How long the start may wait for another process that holds the file's lock, ms. */
const openingMs = 5_000;
/** The same afterwards, where the whole process waits. Held for as long as a disk takes to sync, if all is well. */
const waitMs = 200;
/** The same where it waits between tries, and the pause between two. */
const patienceMs = 2_000;
const pauseMs = 25;

/** SQLite's result code for a file that another process has locked. */
const SQLITE_BUSY = 5;

/** The file is locked by another process, for longer than it takes to write: it may be frozen. */
export class SignerLocked extends ServerError {
  constructor(cause: unknown) {
    super('STORE_UNAVAILABLE', "the signer's directory is locked by another process", { cause });
  }
}

/**
 * The signer's memory: key and last signed head of every origin, on a disk of its own, outside Postgres. A head is
 * recorded, synced, before its signature exists, so whatever dies or is restored, two checkpoints that contradict each
 * other are never signed. One directory may serve several processes. Whatever it is asked throws {@link SignerLocked}
 * where one of them holds the file's lock and does not go on: nobody can take it away from a process that is frozen.
 */
export class SignerStore {
  readonly #database: DatabaseSync;

  constructor(directory: string) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, 'signer.sqlite');
      this.#database = new DatabaseSync(path);
      chmodSync(path, 0o600);
      this.#database.exec(`
        pragma busy_timeout = ${openingMs};
        pragma journal_mode = delete;
        pragma synchronous = extra;
        create table if not exists signing_key (
          id integer primary key, seed blob not null, public_key blob not null, created_at text not null, retired_at text
        ) strict;
        create table if not exists signed_head (
          origin text primary key, size integer not null, root blob not null, note text
        ) strict;
        create table if not exists opened_epoch (
          origin text primary key, checkpoint text not null, reason text not null, opened_at text not null
        ) strict;
        create table if not exists setting (name text primary key, value text not null) strict;
      `);
    } catch (cause) {
      throw new ServerError('CONFIG_INVALID', `the signer's directory ${directory} can't be used`, { cause });
    }
  }

  /** To be called when the start is over: from here on nobody waits for long. */
  endOpening(): void {
    this.#database.exec(`pragma busy_timeout = ${waitMs}`);
  }

  /** Asks again and again for two seconds, in which the process goes on with other things. */
  async patiently<T>(ask: () => T): Promise<T> {
    for (const deadline = performance.now() + patienceMs; ; await delay(pauseMs * (0.5 + Math.random()))) {
      try {
        this.#database.exec('pragma busy_timeout = 0');
        return ask();
      } catch (error) {
        if (!(error instanceof SignerLocked) || performance.now() > deadline) throw error;
      } finally {
        this.endOpening();
      }
    }
  }

  /** Seed (32 bytes) of the key in use, or `undefined` before the first one is made. */
  currentSeed(): Uint8Array | undefined {
    const row = this.#get('select seed from signing_key where retired_at is null order by id desc limit 1');
    return (row as { seed: Uint8Array } | undefined)?.seed;
  }

  /** Puts a key into use and retires those before it. Their signatures stay valid for whoever trusts them. */
  addKey(seed: Uint8Array, publicKey: Uint8Array, at: string): void {
    this.#inTransaction(() => {
      this.#run('update signing_key set retired_at = ? where retired_at is null', at);
      this.#run(insertKeySql, seed, publicKey, at);
    });
  }

  /** Makes the first key unless there is one: of two processes that race, one wins. */
  addFirstKey(seed: Uint8Array, publicKey: Uint8Array, at: string): void {
    this.#inTransaction(() => {
      if (this.currentSeed() !== undefined) return;
      this.#run(insertKeySql, seed, publicKey, at);
    });
  }

  /** Public keys, newest first. */
  publicKeys(): {
    readonly publicKey: Uint8Array;
    readonly createdAt: string;
    readonly retiredAt: string | undefined;
  }[] {
    const rows = this.#all('select public_key, created_at, retired_at from signing_key order by id desc') as {
      public_key: Uint8Array;
      created_at: string;
      retired_at: string | null;
    }[];
    return rows.map((row) => ({
      publicKey: row.public_key,
      createdAt: row.created_at,
      retiredAt: row.retired_at ?? undefined,
    }));
  }

  /** The log's name, fixed at first use: another name would be another log. */
  logName(): string | undefined {
    const row = this.#get("select value from setting where name = 'log_name'");
    return (row as { value: string } | undefined)?.value;
  }

  /** Fixes the name unless it is fixed already: of two processes that race, one wins. */
  setLogName(name: string): void {
    this.#run("insert or ignore into setting (name, value) values ('log_name', ?)", name);
  }

  heads(): SignedHead[] {
    return (this.#all('select origin, size, root, note from signed_head') as HeadRow[]).map(toHead);
  }

  head(origin: string): SignedHead | undefined {
    const row = this.#get('select origin, size, root, note from signed_head where origin = ?', origin);
    return row === undefined ? undefined : toHead(row as HeadRow);
  }

  /**
   * Records, synced to disk, that this head is about to be signed.
   *
   * @param expected size of the head that the caller proved the new one to extend; 0 for none
   * @returns false if another process recorded a head meanwhile: prove again, against that one
   */
  record(head: { origin: string; size: number; root: Uint8Array }, expected: number): boolean {
    return this.#inTransaction(() => {
      if ((this.head(head.origin)?.size ?? 0) !== expected) return false;
      this.#run(
        'insert or replace into signed_head (origin, size, root, note) values (?, ?, ?, null)',
        head.origin,
        head.size,
        head.root,
      );
      return true;
    });
  }

  /** Keeps the signed note of the head that is recorded. */
  keepNote(origin: string, size: number, note: string): void {
    this.#run('update signed_head set note = ? where origin = ? and size = ?', note, origin, size);
  }

  /** Records, synced to disk, that an operator gives a chain up for this epoch; the store may show it from now on. */
  openEpoch(origin: string, recovery: { checkpoint: string; reason: string }, at: string): void {
    this.#run(
      'insert or replace into opened_epoch (origin, checkpoint, reason, opened_at) values (?, ?, ?, ?)',
      origin,
      recovery.checkpoint,
      recovery.reason,
      at,
    );
  }

  /** Whether an epoch was opened by an operator. */
  isOpened(origin: string): boolean {
    return this.#get('select 1 from opened_epoch where origin = ?', origin) !== undefined;
  }

  close(): void {
    this.#database.close();
  }

  #get(sql: string, ...values: SQLInputValue[]): unknown {
    return unlessLocked(() => this.#database.prepare(sql).get(...values));
  }

  #all(sql: string): unknown[] {
    return unlessLocked(() => this.#database.prepare(sql).all());
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    unlessLocked(() => this.#database.prepare(sql).run(...values));
  }

  #inTransaction<T>(work: () => T): T {
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
}

const insertKeySql = 'insert into signing_key (seed, public_key, created_at) values (?, ?, ?)';

function unlessLocked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    // The low byte is the result, the others say more of it.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) throw new SignerLocked(error);
    throw error;
  }
}

interface HeadRow {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string | null;
}

function toHead(row: HeadRow): SignedHead {
  return { origin: row.origin, size: row.size, root: new Uint8Array(row.root), note: row.note ?? undefined };
}
