import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { type Kafka, startKafka } from './kafka/kafka.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import type { Answer } from './shared-server.ts';
import type { Tarball } from './shared-tarballs.ts';
import { tempDir } from './temp-dir.ts';

/**
 * Runs once before all test files, in vitest's main process. It opens five sockets. A test that connects to one gets the address of
 * what all test files share: a PostgreSQL server, a Kafka broker, an empty PGlite cluster to copy, the packages as they would be published,
 * or a trail of the reference platform to copy. The first connection to a socket makes it, so that a run pays only for what its tests use.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = tempDir();
  // Node keeps the compiled form of each module here. A process that a test starts then takes 0.3 s instead of 0.9 s to begin:
  // `time tally --version`.
  process.env.NODE_COMPILE_CACHE ??= join(dir.path, 'compiled-modules');
  let postgres: Promise<Postgres> | undefined;
  let kafka: Promise<Kafka> | undefined;
  let cluster: Promise<string> | undefined;
  let tarballs: Promise<readonly Tarball[]> | undefined;
  let socTrail: Promise<string> | undefined;
  const postgresSocket = await answerOn(join(dir.path, 'shared-postgres'), async () => {
    postgres ??= startPostgres({ durable: false });
    return { adminUrl: (await postgres).adminUrl };
  });
  const kafkaSocket = await answerOn(join(dir.path, 'shared-kafka'), async () => {
    kafka ??= startKafka();
    const { bootstrap, clusterId } = await kafka;
    return { bootstrap, clusterId };
  });
  const clusterSocket = await answerOn(join(dir.path, 'empty-cluster'), async () => {
    cluster ??= makeEmptyCluster(join(dir.path, 'cluster'));
    return { path: await cluster };
  });
  const tarballsSocket = await answerOn(join(dir.path, 'tarballs-socket'), async () => {
    tarballs ??= pack(join(dir.path, 'tarballs'));
    return { tarballs: await tarballs };
  });
  const socTrailSocket = await answerOn(join(dir.path, 'soc-trail-socket'), async () => {
    socTrail ??= runDemo(join(dir.path, 'soc-trail'));
    return { path: await socTrail };
  });
  project.provide('sharedPostgresSocket', postgresSocket.path);
  project.provide('sharedKafkaSocket', kafkaSocket.path);
  project.provide('emptyClusterSocket', clusterSocket.path);
  project.provide('tarballsSocket', tarballsSocket.path);
  project.provide('socTrailSocket', socTrailSocket.path);

  return async () => {
    postgresSocket.close();
    kafkaSocket.close();
    clusterSocket.close();
    tarballsSocket.close();
    socTrailSocket.close();
    for (const started of await Promise.allSettled([postgres, kafka])) {
      if (started.status === 'fulfilled') await started.value?.stop();
    }
    dir.remove();
  };
}

async function makeEmptyCluster(path: string): Promise<string> {
  const { PGlite } = await import('@electric-sql/pglite');
  const pglite = await PGlite.create(path);
  await pglite.close();
  return path;
}

/** In a process of its own, because building the packages keeps its process busy. */
async function pack(destination: string): Promise<readonly Tarball[]> {
  const script = join(import.meta.dirname, '../../../scripts/pack.ts');
  const options = { maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [script, destination, '--json'], options);
  return JSON.parse(stdout) as readonly Tarball[];
}

/** The demo of the reference platform with a few alerts. Its attacks leave the trail as it was. */
async function runDemo(directory: string): Promise<string> {
  const main = join(import.meta.dirname, '../../../examples/soc/src/demo/main.ts');
  const args = ['--conditions=tallystick-source', main, '--data', directory, '--alerts', '10', '--json'];
  await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return directory;
}

async function answerOn(
  path: string,
  address: () => Promise<Answer<object>>,
): Promise<{ path: string; close: () => void }> {
  const server = createServer(async (socket) => {
    socket.on('error', () => {});
    socket.end(JSON.stringify(await address().catch((error) => ({ error: String(error) }))));
  });
  server.listen(path);
  await once(server, 'listening');
  // A socket file, not a port, so that other users of the machine can't connect: the answer may contain a superuser's password.
  chmodSync(path, 0o600);
  return { path, close: () => server.close() };
}
