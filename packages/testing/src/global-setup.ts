import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Kafka, startKafka } from './kafka/kafka.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { tempDir } from './temp-dir.ts';

declare module 'vitest' {
  interface ProvidedContext {
    sharedPostgresSocket: string;
    sharedKafkaSocket: string;
  }
}

export type Answer<T> = T | { error: string };

/**
 * Runs once before all test files, in vitest's main process. Whoever connects to a socket gets the address of the
 * run's PostgreSQL or Kafka; the first one causes its start, so a run that needs none pays nothing.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = tempDir();
  let postgres: Promise<Postgres> | undefined;
  let kafka: Promise<Kafka> | undefined;
  const postgresSocket = await answerOn(join(dir.path, 'shared-postgres'), async () => {
    postgres ??= startPostgres({ durable: false });
    return { adminUrl: (await postgres).adminUrl };
  });
  const kafkaSocket = await answerOn(join(dir.path, 'shared-kafka'), async () => {
    kafka ??= startKafka();
    const { bootstrap, clusterId } = await kafka;
    return { bootstrap, clusterId };
  });
  project.provide('sharedPostgresSocket', postgresSocket.path);
  project.provide('sharedKafkaSocket', kafkaSocket.path);

  return async () => {
    postgresSocket.close();
    kafkaSocket.close();
    for (const started of await Promise.allSettled([postgres, kafka])) {
      if (started.status === 'fulfilled') await started.value?.stop();
    }
    dir.remove();
  };
}

async function answerOn(
  path: string,
  give: () => Promise<object>,
): Promise<{ path: string; close: () => void }> {
  const server = createServer(async (socket) => {
    socket.on('error', () => {});
    socket.end(JSON.stringify(await give().catch((error) => ({ error: String(error) }))));
  });
  server.listen(path);
  await once(server, 'listening');
  // A file and not a port, closed to other users: the answer may hold a superuser's password.
  chmodSync(path, 0o600);
  return { path, close: () => server.close() };
}
