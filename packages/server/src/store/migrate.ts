import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { ServerError } from '../errors.ts';
import type { Queries, Row } from './database.ts';
import type { PgliteDatabase } from './pglite.ts';

const migrationsDirectory = new URL('../../sql/migrations/', import.meta.url);

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** Whether the version before goes on working with it, as its first line says: `-- additive`. */
  readonly additive: boolean;
}

/** A migration that a database has had. */
export interface DoneMigration {
  readonly name: string;
  readonly additive: boolean;
}

/** A database of before the flag has none that is additive. */
export const doneMigrationsSql = `select name, coalesce((to_jsonb(m) ->> 'additive')::boolean, false) as additive
  from tally_migrations m order by name`;

/** The migrations in order; their file names begin with the number. */
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
 * Those of a newer version that this one can't work with. While a version is rolled out, replicas of the one before are
 * restarted too, and may have to come back for good.
 */
export function unworkable(done: readonly DoneMigration[]): string[] {
  const known = new Set(migrations().map(({ name }) => name));
  return done.filter(({ name, additive }) => !known.has(name) && !additive).map(({ name }) => name);
}

/**
 * Brings the embedded store to this version's schema.
 *
 * @returns names of the migrations that were applied
 */
export async function migratePglite(database: PgliteDatabase): Promise<string[]> {
  return await database.asOwner(async (session) => {
    const applied = await applyPending(session);
    // The embedded engine has no client connection to copy from: it reads the rows from a file of its own memory.
    await session.query('grant pg_read_server_files to tally_writer');
    return applied;
  });
}

/**
 * Brings a PostgreSQL database to this version's schema, as its owner: the one job that needs the owner's rights.
 * Safe to run from several places at once.
 *
 * @param ownerUrl connection of a role that owns the database (or may create in it) and may create roles
 * @param serviceLogin existing login role that the service connects as; it is made a member of the service's roles
 * @returns names of the migrations that were applied
 * @throws {ServerError} `STORE_UNSUITABLE` where the database's encoding is not UTF8 or the server is older than 15
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
      await client.query("select pg_advisory_xact_lock(hashtext('tallystick'), hashtext('migrate'))");
      const applied = await applyPending(session);
      if (serviceLogin !== undefined) {
        const login = pg.escapeIdentifier(serviceLogin);
        // Without inheritance: the service has a right only inside a transaction that took its role. From PostgreSQL 16
        // on that is a property of the membership, before it was one of the member.
        await client.query(`alter role ${login} noinherit`);
        const membership = version >= 160_000 ? 'with inherit false, set true' : '';
        await client.query(`grant tally_writer, tally_reader to ${login} ${membership}`);
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
    throw new ServerError('STORE_UNSUITABLE', 'PostgreSQL 15 or later is needed');
  }
  return Number(row!.version);
}

async function applyPending(session: Queries): Promise<string[]> {
  await session.query(`create table if not exists tally_migrations (
    name text primary key, applied_at timestamptz not null default clock_timestamp())`);
  // Roles of the service read it to see that the schema is theirs.
  await session.query('grant select on tally_migrations to public');
  await session.query('alter table tally_migrations add column if not exists additive boolean');
  const rows = await session.query<DoneMigration>(doneMigrationsSql);
  const newer = unworkable(rows);
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
    await session.query(sql);
    await session.query('insert into tally_migrations (name, additive) values ($1, $2)', [name, additive]);
    applied.push(name);
  }
  await session.query('select tally_ensure_partitions()');
  return applied;
}
