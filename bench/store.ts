import type { Postgres } from '@tallystick/testing';
import pg from 'pg';
import { migratePostgres } from '../packages/server/src/store/migrate.ts';

/** A new database with the service's schema. @returns its URL, as the service's own login */
export async function openStore(postgres: Postgres, login = 'bench'): Promise<string> {
  const { url } = await postgres.createDatabase();
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
