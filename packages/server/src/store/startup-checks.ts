import { ServerError } from '../errors.ts';
import { type Database, sqlState, writer } from './database.ts';
import { type DoneMigration, doneMigrationsSql, migrations, unworkable } from './migrate.ts';

/**
 * Refuses a database that the trail can't be trusted to: another encoding, a schema of another version, or a login that
 * owns the tables or is a superuser, and could therefore switch the triggers off. PGlite has one user; there roles are
 * advisory.
 *
 * @throws {ServerError} `SCHEMA_VERSION` or `STORE_UNSUITABLE`
 */
export async function checkStore(database: Database): Promise<void> {
  let done: readonly DoneMigration[];
  try {
    const [setting] = await database.query<{ encoding: string }>(
      writer,
      "select current_setting('server_encoding') as encoding",
    );
    if (setting!.encoding !== 'UTF8') {
      throw new ServerError('STORE_UNSUITABLE', `server_encoding must be UTF8, not ${setting!.encoding}`);
    }
    done = await database.query<DoneMigration>(writer, doneMigrationsSql);
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    // Also what an owner meets who made the service's roles: from PostgreSQL 16 on he may give them, not take them.
    if (sqlState(cause) === '42501') {
      throw new ServerError(
        'STORE_UNSUITABLE',
        'the login is not one of the service: run `tally migrate` as the owner, with the name of this login',
        { cause },
      );
    }
    throw new ServerError('SCHEMA_VERSION', 'the database is not set up: run `tally migrate` as its owner', {
      cause,
    });
  }
  const has = new Set(done.map(({ name }) => name));
  const missing = migrations().flatMap(({ name }) => (has.has(name) ? [] : [name]));
  const newer = unworkable(done);
  if (missing.length > 0) {
    throw new ServerError(
      'SCHEMA_VERSION',
      `the database misses ${missing.join(', ')}: run \`tally migrate\``,
    );
  }
  if (newer.length > 0) {
    throw new ServerError('SCHEMA_VERSION', `the database is newer than this version (${newer.join(', ')})`);
  }
  if (database.kind === 'pglite') return;
  const [login] = await database.query<{ superuser: boolean; owner: boolean; name: string }>(
    writer,
    `select session_user::text as name,
            (select rolsuper from pg_roles where rolname = session_user) as superuser,
            pg_has_role(session_user, c.relowner, 'member') as owner
       from pg_class c where c.oid = 'audit_records'::regclass`,
  );
  if (login!.superuser || login!.owner) {
    const what = login!.superuser ? 'a superuser' : 'the owner of the trail';
    throw new ServerError('STORE_UNSUITABLE', `the service must not connect as ${what} (${login!.name})`);
  }
}
