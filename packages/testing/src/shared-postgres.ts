import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { createDatabase, type Database } from './database.ts';
import type { Answer } from './global-setup.ts';

/** The one PostgreSQL of a test run. Each test file makes a database of its own on it. */
export interface SharedPostgres {
  /** A superuser's connection to the database `postgres`. Roles made there are seen by every other test file. */
  readonly adminUrl: string;
  createDatabase(name?: string): Promise<Database>;
}

/** Starts the server if this is the run's first call. It runs without fsync; `startPostgres` is for crash tests. */
export async function sharedPostgres(): Promise<SharedPostgres> {
  // Imported late: benchmarks use this package too, and outside a test vitest has nothing to provide.
  const { inject } = await import('vitest');
  const socket = createConnection(inject('sharedPostgresSocket'));
  await once(socket, 'connect');
  const answer = JSON.parse(await text(socket)) as Answer;
  if ('error' in answer) throw new Error(`the shared PostgreSQL did not start: ${answer.error}`);
  return { adminUrl: answer.adminUrl, createDatabase: (name) => createDatabase(answer.adminUrl, name) };
}
