import { randomBytes } from 'node:crypto';
import { type Checkpoint, parseOrigin } from '@tallystick/log';
import { SignerDatabase } from './signer-database.ts';

/** What the secrets of the service are for. */
export type ServiceSecret =
  | 'received-events'
  | 'service-record-ids'
  | 'console-sessions'
  | 'console-logins'
  | 'stats-cursors'
  | 'viewer-tokens';

/** The newest checkpoint that the signer recorded for an origin. */
export interface LastSigned extends Checkpoint {
  /** The signed note. Absent where the process died between recording the checkpoint and signing it. */
  readonly note: string | undefined;
}

/** The key that takes over, and the statement of it that both keys signed. */
export interface NewKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  /** RFC 3339. */
  readonly at: string;
  readonly statement: string;
  readonly reason: string;
  readonly by: string;
}

/** A rotation of the signing key. */
export interface StoredRotation {
  readonly id: number;
  /** The signed statement (spec/log.md). */
  readonly statement: string;
  readonly reason: string;
  /** The principal who asked for it. */
  readonly by: string;
  /** Whether the chain of the service's tenant has a record of it. */
  readonly isRecorded: boolean;
}

const schema = `
  create table if not exists signing_key (
    id integer primary key, seed blob not null, public_key blob not null, created_at text not null, retired_at text
  ) strict;
  create table if not exists signed_head (
    origin text primary key, size integer not null, root blob not null, note text
  ) strict;
  create table if not exists key_rotation (
    id integer primary key, statement text not null, reason text not null, rotated_by text not null, recorded_at text
  ) strict;
  create table if not exists rotated_head (
    rotation integer not null, origin text not null, size integer not null, root blob not null,
    primary key (rotation, origin)
  ) strict, without rowid;
  create table if not exists opened_epoch (
    origin text primary key, checkpoint text not null, reason text not null, opened_at text not null
  ) strict;
  create table if not exists setting (name text primary key, value text not null) strict;`;

/**
 * What the signer stores: its keys and the last checkpoint of every origin. The file must be outside Postgres, on another disk.
 *
 * A checkpoint is recorded and synced before its signature exists. So after any crash and any restore of Postgres, the
 * signer never signs two checkpoints that contradict each other. Calls throw `SignerLocked` as {@link SignerDatabase}.
 */
export class SignerStore {
  readonly #database: SignerDatabase;

  /** @throws {ServerError} `CONFIG_INVALID` */
  constructor(directory: string) {
    this.#database = new SignerDatabase(directory, schema);
  }

  /** See {@link SignerDatabase.endOpening}. */
  endOpening(): void {
    this.#database.endOpening();
  }

  /** See {@link SignerDatabase.patiently}. */
  async patiently<T>(call: () => T): Promise<T> {
    return await this.#database.patiently(call);
  }

  /** Seed (32 bytes) of the current key, or `undefined` before the first key is made. */
  currentSeed(): Uint8Array | undefined {
    const row = this.#database.get(
      'select seed from signing_key where retired_at is null order by id desc limit 1',
    );
    return (row as { seed: Uint8Array } | undefined)?.seed;
  }

  /**
   * Makes a new key the current one, in one transaction that locks the file: retires the key before it and erases its seed, and
   * keeps the signed statement and the checkpoints that it names. A crash leaves all of it or nothing.
   *
   * A checkpoint is recorded before its key is read. So the retired key never signs one that the statement does not cover.
   *
   * @param make signs the statement. It gets the current key and the last checkpoint of every origin, in the order of origins
   */
  rotateKey(make: (seed: Uint8Array, heads: readonly Checkpoint[]) => NewKey): void {
    this.#database.inTransaction(() => {
      const heads = (this.#database.all(`${headsSql} order by origin`) as SignedRow[]).map(toLastSigned);
      const { seed, publicKey, at, statement, reason, by } = make(this.currentSeed()!, heads);
      this.#database.run(
        'update signing_key set retired_at = ?, seed = zeroblob(0) where retired_at is null',
        at,
      );
      this.#database.run(insertKeySql, seed, publicKey, at);
      this.#database.run(
        'insert into key_rotation (statement, reason, rotated_by) values (?, ?, ?)',
        statement,
        reason,
        by,
      );
      this.#database.run(
        `insert into rotated_head (rotation, origin, size, root)
         select (select max(id) from key_rotation), origin, size, root from signed_head`,
      );
    });
  }

  /** All rotations of the key, oldest first. */
  rotations(): StoredRotation[] {
    const rows = this.#database.all(
      'select id, statement, reason, rotated_by, recorded_at from key_rotation order by id',
    ) as {
      readonly id: number;
      readonly statement: string;
      readonly reason: string;
      readonly rotated_by: string;
      readonly recorded_at: string | null;
    }[];
    return rows.map(({ id, statement, reason, rotated_by, recorded_at }) => ({
      id,
      statement,
      reason,
      by: rotated_by,
      isRecorded: recorded_at !== null,
    }));
  }

  /** The checkpoints that a rotation names, in the order of origins. */
  rotatedHeads(rotation: number): Checkpoint[] {
    const rows = this.#database.all(
      'select origin, size, root, null as note from rotated_head where rotation = ? order by origin',
      rotation,
    );
    return (rows as SignedRow[]).map(toLastSigned);
  }

  /** Notes that the chain of the service's tenant has the record of a rotation. */
  markRecorded(rotation: number, at: string): void {
    this.#database.run('update key_rotation set recorded_at = ? where id = ?', at, rotation);
  }

  /** Adds the first key, unless there is a key already: of two processes that race, one wins. */
  addFirstKey(seed: Uint8Array, publicKey: Uint8Array, at: string): void {
    this.#database.inTransaction(() => {
      if (this.currentSeed() !== undefined) return;
      this.#database.run(insertKeySql, seed, publicKey, at);
    });
  }

  /** Public keys, newest first. */
  publicKeys(): {
    readonly publicKey: Uint8Array;
    readonly createdAt: string;
    readonly retiredAt: string | undefined;
  }[] {
    const rows = this.#database.all(
      'select public_key, created_at, retired_at from signing_key order by id desc',
    ) as { public_key: Uint8Array; created_at: string; retired_at: string | null }[];
    return rows.map((row) => ({
      publicKey: row.public_key,
      createdAt: row.created_at,
      retiredAt: row.retired_at ?? undefined,
    }));
  }

  /** The log's name. It is fixed at first use: another name would be another log. */
  logName(): string | undefined {
    const row = this.#database.get("select value from setting where name = 'log_name'");
    return (row as { value: string } | undefined)?.value;
  }

  /** Fixes the name, unless it is fixed already: of two processes that race, one wins. */
  setLogName(name: string): void {
    this.#database.run("insert or ignore into setting (name, value) values ('log_name', ?)", name);
  }

  /**
   * A random secret of the service, 32 bytes, made at first use and never changed: a rotation of the signing key keeps it. All
   * replicas share it. It is stored here so that an attacker with the database alone can't compute what is derived from it.
   *
   * @param purpose each purpose has its own secret
   */
  serviceSecret(purpose: ServiceSecret): Uint8Array {
    const name = `secret/${purpose}`;
    // Of two processes that race, one wins, and both read its secret.
    this.#database.run(
      'insert or ignore into setting (name, value) values (?, ?)',
      name,
      randomBytes(32).toString('hex'),
    );
    const row = this.#database.get('select value from setting where name = ?', name);
    return Buffer.from((row as { value: string }).value, 'hex');
  }

  /** The last checkpoint of an origin, or `undefined` where none was signed. */
  lastSigned(origin: string): LastSigned | undefined {
    const row = this.#database.get(
      'select origin, size, root, note from signed_head where origin = ?',
      origin,
    );
    return row === undefined ? undefined : toLastSigned(row as SignedRow);
  }

  /** The last checkpoint of every epoch that was signed for each tenant, newest epoch first. */
  lastSignedByTenant(): Map<string, LastSigned[]> {
    const rows = this.#database.all(headsSql) as SignedRow[];
    const epochOf = ({ origin }: LastSigned) => parseOrigin(origin).epoch;
    const all = rows.map(toLastSigned).sort((a, b) => epochOf(b) - epochOf(a));
    return Map.groupBy(all, ({ origin }) => parseOrigin(origin).tenantId);
  }

  /** The last checkpoint of the newest epoch that was signed for a tenant. */
  newestOf(tenantId: string): LastSigned | undefined {
    return this.lastSignedByTenant().get(tenantId)?.[0];
  }

  /** The last checkpoint of every epoch that was signed for a tenant. */
  lastSignedOf(logName: string, tenantId: string): LastSigned[] {
    // Origins that begin with this prefix. '0' follows '/' in the order of SQLite.
    const rows = this.#database.all(
      'select origin, size, root, note from signed_head where origin > ? and origin < ?',
      `${logName}/${tenantId}/`,
      `${logName}/${tenantId}0`,
    );
    return (rows as SignedRow[]).map(toLastSigned);
  }

  /**
   * Records, synced to disk, that this checkpoint is about to be signed.
   *
   * @param expected size of the recorded checkpoint that the caller proved the new one to extend; 0 where there is none
   * @returns false where another process recorded a checkpoint meanwhile: prove again, against that checkpoint
   */
  record(checkpoint: Checkpoint, expected: number): boolean {
    return this.#database.inTransaction(() => {
      if ((this.lastSigned(checkpoint.origin)?.size ?? 0) !== expected) return false;
      this.#database.run(
        'insert or replace into signed_head (origin, size, root, note) values (?, ?, ?, null)',
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root,
      );
      return true;
    });
  }

  /** Keeps the signed note of the recorded checkpoint. */
  keepNote(origin: string, size: number, note: string): void {
    this.#database.run('update signed_head set note = ? where origin = ? and size = ?', note, origin, size);
  }

  /** Records, synced to disk, that an operator abandoned a chain for this epoch. Only recorded epochs may be in the store. */
  openEpoch(origin: string, recovery: { checkpoint: string; reason: string }, at: string): void {
    this.#database.run(
      'insert or replace into opened_epoch (origin, checkpoint, reason, opened_at) values (?, ?, ?, ?)',
      origin,
      recovery.checkpoint,
      recovery.reason,
      at,
    );
  }

  /** Whether an operator opened this epoch. */
  isOpened(origin: string): boolean {
    return this.#database.get('select 1 from opened_epoch where origin = ?', origin) !== undefined;
  }

  close(): void {
    this.#database.close();
  }
}

const headsSql = 'select origin, size, root, note from signed_head';
const insertKeySql = 'insert into signing_key (seed, public_key, created_at) values (?, ?, ?)';

interface SignedRow {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string | null;
}

function toLastSigned(row: SignedRow): LastSigned {
  return { origin: row.origin, size: row.size, root: new Uint8Array(row.root), note: row.note ?? undefined };
}
