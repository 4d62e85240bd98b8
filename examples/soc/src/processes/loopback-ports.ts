import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ephemeral ranges of Linux (32768) and macOS (49152): an outgoing connection must not take the port of a process that is being
// started again.
const first = 15_000;
const last = 32_000;
const attempts = 1_000;

/** Different ports on the loopback address that no process listens on now. They are not reserved. */
export async function loopbackPorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < attempts && found.size < count; attempt++) {
    const port = randomInt(first, last);
    if (await isFree(port)) found.add(port);
  }
  if (found.size < count) throw new Error(`there are no ${count} free ports between ${first} and ${last}`);
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
