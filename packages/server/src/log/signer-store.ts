import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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

/**
 * The signer's memory: key and last signed head of every origin, on a disk of its own, outside Postgres. A head is
 * recorded, synced, before its signature exists, so whatever dies or is restored, two checkpoints that contradict each
 * other are never signed. One directory may serve several processes.
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
        pragma busy_timeout = 5000;
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

  /** Seed (32 bytes) of the key in use, or `undefined` before the first one is made. */
  currentSeed(): Uint8Array | undefined {
    const row = this.#database
      .prepare('select seed from signing_key where retired_at is null order by id desc limit 1')
      .get() as { seed: Uint8Array } | undefined;
    return row?.seed;
  }

  /** Puts a key into use and retires those before it. Their signatures stay valid for whoever trusts them. */
  addKey(seed: Uint8Array, publicKey: Uint8Array, at: string): void {
    this.#inTransaction(() => {
      this.#database.prepare('update signing_key set retired_at = ? where retired_at is null').run(at);
      this.#database
        .prepare('insert into signing_key (seed, public_key, created_at) values (?, ?, ?)')
        .run(seed, publicKey, at);
    });
  }

  /** Makes the first key unless there is one: of two processes that race, one wins. */
  addFirstKey(seed: Uint8Array, publicKey: Uint8Array, at: string): void {
    this.#inTransaction(() => {
      if (this.currentSeed() !== undefined) return;
      this.#database
        .prepare('insert into signing_key (seed, public_key, created_at) values (?, ?, ?)')
        .run(seed, publicKey, at);
    });
  }

  /** Public keys, newest first. */
  publicKeys(): {
    readonly publicKey: Uint8Array;
    readonly createdAt: string;
    readonly retiredAt: string | undefined;
  }[] {
    const rows = this.#database
      .prepare('select public_key, created_at, retired_at from signing_key order by id desc')
      .all() as { public_key: Uint8Array; created_at: string; retired_at: string | null }[];
    return rows.map((row) => ({
      publicKey: row.public_key,
      createdAt: row.created_at,
      retiredAt: row.retired_at ?? undefined,
    }));
  }

  /** The log's name, fixed at first use: another name would be another log. */
  logName(): string | undefined {
    const row = this.#database.prepare("select value from setting where name = 'log_name'").get();
    return (row as { value: string } | undefined)?.value;
  }

  /** Fixes the name unless it is fixed already: of two processes that race, one wins. */
  setLogName(name: string): void {
    this.#database.prepare("insert or ignore into setting (name, value) values ('log_name', ?)").run(name);
  }

  heads(): SignedHead[] {
    return (
      this.#database.prepare('select origin, size, root, note from signed_head').all() as unknown as HeadRow[]
    ).map(toHead);
  }

  head(origin: string): SignedHead | undefined {
    const row = this.#database
      .prepare('select origin, size, root, note from signed_head where origin = ?')
      .get(origin);
    return row === undefined ? undefined : toHead(row as unknown as HeadRow);
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
      this.#database
        .prepare('insert or replace into signed_head (origin, size, root, note) values (?, ?, ?, null)')
        .run(head.origin, head.size, head.root);
      return true;
    });
  }

  /** Keeps the signed note of the head that is recorded. */
  keepNote(origin: string, size: number, note: string): void {
    this.#database
      .prepare('update signed_head set note = ? where origin = ? and size = ?')
      .run(note, origin, size);
  }

  /** Records, synced to disk, that an operator gives a chain up for this epoch; the store may show it from now on. */
  openEpoch(origin: string, recovery: { checkpoint: string; reason: string }, at: string): void {
    this.#database
      .prepare(
        'insert or replace into opened_epoch (origin, checkpoint, reason, opened_at) values (?, ?, ?, ?)',
      )
      .run(origin, recovery.checkpoint, recovery.reason, at);
  }

  /** Whether an epoch was opened by an operator. */
  isOpened(origin: string): boolean {
    return this.#database.prepare('select 1 from opened_epoch where origin = ?').get(origin) !== undefined;
  }

  close(): void {
    this.#database.close();
  }

  #inTransaction<T>(work: () => T): T {
    this.#database.exec('begin immediate');
    try {
      const result = work();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
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
