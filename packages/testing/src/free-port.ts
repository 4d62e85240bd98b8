import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ephemeral ranges of Linux (32768) and macOS (49152). Otherwise an outgoing connection could take the port of a server
// that a test has killed and starts again.
const FIRST = 15_000;
const LAST = 32_000;
const ATTEMPTS = 100;

/**
 * A TCP port on 127.0.0.1 that no process listens on now. The port is not reserved: the caller must try another one if its server
 * finds the port in use.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST} in ${ATTEMPTS} attempts`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
