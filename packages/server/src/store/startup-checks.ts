import { ServerError } from '../errors.ts';
import { type Database, sqlState, writer } from './database.ts';
import { dangerousRights } from './login-rights.ts';
import { type DoneMigration, doneMigrationsSql, incompatibleMigrations, migrations } from './migrate.ts';
import { PostgresDatabase } from './postgres.ts';
import { readSql } from './sql.ts';

const misplacedHeads = readSql('misplaced-heads');

/**
 * Refuses a database that cannot protect the trail: its encoding is not UTF8, its schema belongs to another version,
 * a pooler shares its sessions, or the service's login could undo the protection, directly or through another role. PGlite has a single user, so roles are
 * advisory there.
 *
 * @throws {ServerError} `SCHEMA_VERSION` or `STORE_UNSUITABLE`
 */
export async function checkStore(database: Database): Promise<void> {
  if (database instanceof PostgresDatabase) await database.refuseSharedSessions();
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
  await assertOrderedIndexes(database);
  await assertHarmlessLogin(database);
}

/**
 * Refuses indexes that are out of order, as after an update of the operating system that changed a locale. Look-ups then miss
 * tenants, and what is missed looks like a store that an older backup replaced: an operator must not open new epochs for it.
 *
 * @throws {ServerError} `STORE_UNSUITABLE`
 */
async function assertOrderedIndexes(database: Database): Promise<void> {
  const misplaced = await database.transaction(writer, async (session) => {
    const [, rows] = await session.pipeline(
      {
        text: `select set_config(name, 'off', true)
                 from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_sort']) as name`,
      },
      { text: misplacedHeads },
    );
    return (rows[0] as { misplaced: number }).misplaced;
  });
  if (misplaced === 0) return;
  throw new ServerError(
    'STORE_UNSUITABLE',
    'the indexes of the database are out of order, as after an update of the operating system that changed its locales: ' +
      'stop the service, run as the owner of the database: reindex database, and then `tally migrate`. Nothing is lost, and ' +
      'no new epoch is needed',
  );
}

/** @throws {ServerError} `STORE_UNSUITABLE`, naming every right that is too much and the statement that takes it away */
async function assertHarmlessLogin(database: Database): Promise<void> {
  const { login, rights } = await dangerousRights(database);
  if (rights.length === 0) return;
  const list = rights.map(({ what, remedy }) => `it ${what} (mend it with: ${remedy})`).join('; ');
  throw new ServerError(
    'STORE_UNSUITABLE',
    `the service must not connect as ${login}, a login that could undo the protection of the trail: ${list}`,
    { details: { login, rights } },
  );
}
