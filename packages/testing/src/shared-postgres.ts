import { createDatabase, type Database } from './database.ts';
import { ask } from './shared-server.ts';

/** The one PostgreSQL of a test run. Each test file makes a database of its own on it. */
export interface SharedPostgres {
  /** A superuser's connection to the database `postgres`. Roles made there are seen by every other test file. */
  readonly adminUrl: string;
  createDatabase(name?: string): Promise<Database>;
}

/** Starts the server if this is the run's first call. It runs without fsync; `startPostgres` is for crash tests. */
export async function sharedPostgres(): Promise<SharedPostgres> {
  const { adminUrl } = await ask<{ adminUrl: string }>('sharedPostgresSocket');
  return { adminUrl, createDatabase: (name) => createDatabase(adminUrl, name) };
}
