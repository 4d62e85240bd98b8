import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Postgres, startPostgres } from './postgres.ts';
import { tempDir } from './temp-dir.ts';

declare module 'vitest' {
  interface ProvidedContext {
    sharedPostgresSocket: string;
  }
}

export type Answer = { adminUrl: string } | { error: string };

/**
 * Runs once before all test files, in vitest's main process. Whoever connects to the socket gets the address of the
 * run's PostgreSQL; the first one causes its start, so a run that needs no database pays nothing.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let postgres: Promise<Postgres> | undefined;
  const server = createServer(async (socket) => {
    socket.on('error', () => {});
    postgres ??= startPostgres({ durable: false });
    socket.end(JSON.stringify(await answer(postgres)));
  });
  const dir = tempDir();
  const path = join(dir.path, 'shared-postgres');
  server.listen(path);
  await once(server, 'listening');
  // A file and not a port, closed to other users: the answer holds the superuser's password.
  chmodSync(path, 0o600);
  project.provide('sharedPostgresSocket', path);

  return async () => {
    server.close();
    await postgres?.then(
      (started) => started.stop(),
      () => {},
    );
    dir.remove();
  };
}

function answer(postgres: Promise<Postgres>): Promise<Answer> {
  return postgres.then(
    ({ adminUrl }) => ({ adminUrl }),
    (error) => ({ error: String(error) }),
  );
}
