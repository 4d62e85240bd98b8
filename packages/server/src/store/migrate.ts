import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { ServerError } from '../errors.ts';
import type { Queries, Row } from './database.ts';
import {
  areShared,
  type DatabaseRoles,
  inRoles,
  moveToOwnRoles,
  newRoles,
  plainRoles,
  rolesOf,
} from './database-roles.ts';
import type { PgliteDatabase } from './pglite/pglite.ts';
import { sessionSettingsSql } from './session-settings.ts';
import { readSql } from './sql.ts';

const migrationsDirectory = new URL('../../sql/migrations/', import.meta.url);

const useByteOrder = readSql('use-byte-order');

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** Whether the previous version of the service can work with it. Its first line says so: `-- additive`. */
  readonly additive: boolean;
}

/** A migration that was applied to a database. */
export interface DoneMigration {
  readonly name: string;
  readonly additive: boolean;
}

/** Databases of versions without the column `additive` have no additive migration. */
export const doneMigrationsSql = `select name, coalesce((to_jsonb(m) ->> 'additive')::boolean, false) as additive
  from tally_migrations m order by name`;

/** The migrations in order. Their file names begin with a number. */
export function migrations(): readonly Migration[] {
  return readdirSync(migrationsDirectory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const sql = readFileSync(new URL(name, migrationsDirectory), 'utf8');
      return { name, sql, additive: sql.startsWith('-- additive\n') };
    });
}

/**
 * Applied migrations of a newer version that this version cannot work with. During a rollout, replicas of the previous
 * version may restart on the new schema, and after a rollback only they remain: additive migrations keep that possible.
 */
export function incompatibleMigrations(done: readonly DoneMigration[]): string[] {
  const known = new Set(migrations().map(({ name }) => name));
  return done.filter(({ name, additive }) => !known.has(name) && !additive).map(({ name }) => name);
}

/**
 * Migrates the embedded store to the schema of this version.
 *
 * @returns names of the migrations that were applied
 */
export async function migratePglite(database: PgliteDatabase): Promise<string[]> {
  return await database.asOwner(async (session) => {
    const applied = await applyPending(session, plainRoles);
    // PGlite has no client connection to copy from: it reads the rows of a COPY from a file in memory.
    await session.query('grant pg_read_server_files to tally_writer');
    return applied;
  });
}

/**
 * Migrates a PostgreSQL database to the schema of this version. Runs as the owner of the database; nothing else in the
 * service needs the owner's rights. Several processes may run it at the same time.
 *
 * @param ownerUrl URL of a role that owns the database (or may create schemas and tables in it) and may create roles
 * @param serviceLogin existing login role of the service; it becomes a member of the service's roles
 * @returns names of the migrations that were applied
 * @throws {ServerError} `STORE_UNSUITABLE` when the database's encoding is not UTF8 or the server is older than 15;
 *   `SCHEMA_VERSION` when a newer version migrated the database
 */
export async function migratePostgres(ownerUrl: string, serviceLogin?: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'tallystick-migrate' });
  await client.connect();
  try {
    const session: Queries = {
      query: async <R extends object = Row>(sql: string, parameters?: readonly unknown[]) =>
        (await client.query(sql, parameters as unknown[] | undefined)).rows as R[],
    };
    const version = await checkSuitable(session);
    await client.query('begin');
    try {
      // In the transaction, because a pooler may give the next transaction another session.
      await client.query(sessionSettingsSql);
      await client.query("select pg_advisory_xact_lock(hashtext('tallystick'), hashtext('migrate'))");
      const roles = await ownRoles(session, serviceLogin);
      const applied = await applyPending(session, roles);
      if (serviceLogin !== undefined) {
        const login = pg.escapeIdentifier(serviceLogin);
        // Without inheritance, so that the service has rights only inside a transaction that has set the role. PostgreSQL
        // 16 and later store inheritance with the membership, older versions with the member.
        await client.query(`alter role ${login} noinherit`);
        const membership = version >= 160_000 ? 'with inherit false, set true' : '';
        await client.query(`grant ${roles.writer}, ${roles.reader} to ${login} ${membership}`);
      }
      await client.query('commit');
      return applied;
    } catch (error) {
      await client.query('rollback');
      throw error;
    }
  } finally {
    await client.end();
  }
}

/** @returns the server's version, such as 180004 */
async function checkSuitable(session: Queries): Promise<number> {
  const [row] = await session.query<{ encoding: string; version: string }>(
    "select current_setting('server_encoding') as encoding, current_setting('server_version_num') as version",
  );
  if (row!.encoding !== 'UTF8') {
    throw new ServerError('STORE_UNSUITABLE', `server_encoding must be UTF8, not ${row!.encoding}`);
  }
  if (Number(row!.version) < 150_000) {
    throw new ServerError(
      'STORE_UNSUITABLE',
      `the server must be PostgreSQL 15 or later, not ${row!.version}`,
    );
  }
  return Number(row!.version);
}

/**
 * The roles of this database, which no other database of the server uses. A database that shares its roles gets its own.
 *
 * @throws {ServerError} `STORE_UNSUITABLE` if the service's login is not named, and would lose its rights
 */
async function ownRoles(session: Queries, serviceLogin: string | undefined): Promise<DatabaseRoles> {
  const current = await rolesOf(session);
  if (current === undefined) return newRoles();
  if (!(await areShared(session, current))) return current;
  if (serviceLogin === undefined) {
    throw new ServerError(
      'STORE_UNSUITABLE',
      "this migration gives the database roles of its own, so name the service's login: --service-login NAME",
    );
  }
  const roles = newRoles();
  await moveToOwnRoles(session, current, roles);
  return roles;
}

async function applyPending(session: Queries, roles: DatabaseRoles): Promise<string[]> {
  await session.query(`create table if not exists tally_migrations (
    name text primary key, applied_at timestamptz not null default clock_timestamp())`);
  // The service's roles read this table at start to compare the schema with their version.
  await session.query('grant select on tally_migrations to public');
  await session.query('alter table tally_migrations add column if not exists additive boolean');
  const rows = await session.query<DoneMigration>(doneMigrationsSql);
  const newer = incompatibleMigrations(rows);
  if (newer.length > 0) {
    throw new ServerError(
      'SCHEMA_VERSION',
      `the database was migrated by a newer version (${newer.join(', ')})`,
    );
  }
  const done = new Set(rows.map(({ name }) => name));
  const applied: string[] = [];
  for (const { name, sql, additive } of migrations()) {
    if (done.has(name)) continue;
    await session.query(inRoles(sql, roles));
    await session.query('insert into tally_migrations (name, additive) values ($1, $2)', [name, additive]);
    applied.push(name);
  }
  await session.query('select tally_ensure_partitions()');
  await session.query(useByteOrder);
  return applied;
}
