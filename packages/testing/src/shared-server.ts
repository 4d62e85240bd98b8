import { once } from 'node:events';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ProvidedContext } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    sharedPostgresSocket: string;
    sharedKafkaSocket: string;
    emptyClusterSocket: string;
    tarballsSocket: string;
    socTrailSocket: string;
  }
}

/** What a socket of the global setup answers: how to reach the server, or why it did not start. */
export type Answer<T> = T | { error: string };

/** Asks vitest's main process for a server that all test files of a run share. The first call of a run starts the server. */
export async function ask<T extends object>(name: keyof ProvidedContext): Promise<T> {
  // Benchmarks use this package too, without vitest, so it is imported only here.
  const { inject } = await import('vitest');
  const socket = createConnection(inject(name));
  await once(socket, 'connect');
  const answer = JSON.parse(await text(socket)) as Answer<T>;
  if ('error' in answer) throw new Error(`${name}: the server did not start: ${answer.error}`);
  return answer;
}
