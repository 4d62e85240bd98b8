import { createDatabase, type Database } from './database.ts';
import { ask } from './shared-server.ts';

/** The PostgreSQL server that all test files of a run share. Each test file creates its own database on it. */
export interface SharedPostgres {
  /** Connects a superuser to the database `postgres`. All test files see the roles of the server. */
  readonly adminUrl: string;
  createDatabase(name?: string): Promise<Database>;
}

/** The first call of a run starts the server. It runs without fsync; crash tests use `startPostgres`. */
export async function sharedPostgres(): Promise<SharedPostgres> {
  const { adminUrl } = await ask<{ adminUrl: string }>('sharedPostgresSocket');
  return { adminUrl, createDatabase: (name) => createDatabase(adminUrl, name) };
}
