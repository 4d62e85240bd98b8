import type { Postgres } from '@tallystick/testing';
import pg from 'pg';
import type { Session } from '../packages/server/src/store/database.ts';
import { migratePostgres } from '../packages/server/src/store/migrate.ts';

/**
 * Creates a database with the service's schema.
 *
 * @param name of the database; a random name by default
 * @returns its URL with the login of the service
 */
export async function openStore(postgres: Postgres, login = 'bench', name?: string): Promise<string> {
  const { url } = await postgres.createDatabase(name);
  const admin = new pg.Client(postgres.adminUrl);
  await admin.connect();
  await admin.query(
    `do $$ begin create role ${login} login password '${login}'; exception when duplicate_object then null; end $$`,
  );
  await admin.end();
  await migratePostgres(url, login);
  const serviceUrl = new URL(url);
  serviceUrl.username = serviceUrl.password = login;
  return serviceUrl.href;
}

/** As {@link openStore}, without the triggers that tie new records to a head: rows can be copied alone. */
export async function openUnguardedStore(postgres: Postgres): Promise<string> {
  const serviceUrl = await openStore(postgres);
  const ownerUrl = new URL(postgres.adminUrl);
  ownerUrl.pathname = new URL(serviceUrl).pathname;
  const owner = new pg.Client(ownerUrl.href);
  await owner.connect();
  const { rows } = await owner.query<{ name: string }>(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_records'::regclass",
  );
  for (const { name } of rows) await owner.query(`drop trigger follows_head on ${name}`);
  await owner.end();
  return serviceUrl;
}

/** Stores rows in COPY's text format, with no other statements. */
export async function copyRows(session: Session, copy: string, chunks: Iterable<string>): Promise<void> {
  const copying = session.beginCopy(copy);
  for (const rows of chunks) await copying.write(rows);
  const result = await copying.finish();
  if (result.status === 'duplicate') throw result.error;
}
