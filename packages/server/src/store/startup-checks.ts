import { ServerError } from '../errors.ts';
import { type Database, sqlState, writer } from './database.ts';
import { type DoneMigration, doneMigrationsSql, incompatibleMigrations, migrations } from './migrate.ts';

/**
 * Refuses a database that cannot protect the trail: its encoding is not UTF8, its schema belongs to another version, or
 * the service's login owns the tables or is a superuser and could switch the triggers off. PGlite has a single user, so
 * roles are advisory there.
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
    // An owner who created the service's roles gets this error too: since PostgreSQL 16 he may grant them to others but
    // not set them himself.
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
  const newer = incompatibleMigrations(done);
  if (missing.length > 0) {
    throw new ServerError(
      'SCHEMA_VERSION',
      `the database lacks ${missing.join(', ')}: run \`tally migrate\``,
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
