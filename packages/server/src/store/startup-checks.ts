import { ServerError } from '../errors.ts';
import { type Database, writer } from './database.ts';
import { migrations } from './migrate.ts';

/**
 * Refuses a database that the trail can't be trusted to: a schema of another version, or a login that owns the tables
 * or is a superuser, and could therefore switch the triggers off. PGlite has one user; there roles are advisory.
 *
 * @throws {ServerError} `SCHEMA_VERSION` or `STORE_UNSUITABLE`
 */
export async function checkStore(database: Database): Promise<void> {
  let done: string[];
  try {
    const rows = await database.query<{ name: string }>(
      writer,
      'select name from tally_migrations order by name',
    );
    done = rows.map((row) => row.name);
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    throw new ServerError('SCHEMA_VERSION', 'the database is not set up: run `tally migrate` as its owner', {
      cause,
    });
  }
  const needed = migrations().map((migration) => migration.name);
  if (done.join() !== needed.join()) {
    const missing = needed.filter((name) => !done.includes(name));
    const what =
      missing.length > 0
        ? `misses ${missing.join(', ')}: run \`tally migrate\``
        : 'is newer than this version';
    throw new ServerError('SCHEMA_VERSION', `the database ${what}`);
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
