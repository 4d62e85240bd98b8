import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ timeouts: { maxConnections: 60, maxUnauthenticated: 30 } });
});
afterAll(() => http[Symbol.asyncDispose]());

async function dial(): Promise<Socket> {
  const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

// Two thousand half-sent requests without a key once made `/health` time out: no connection was left for it.
describe('connections without a key', () => {
  it.each([
    ['half a head', 'GET /health HTTP/1.1\r\nhost:'],
    ['nothing', ''],
    [
      'a head and half a body',
      'POST /v1/audit/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    ],
  ])('keep no other client out: %s', async (_, sent) => {
    const authenticated = await dial();
    authenticated.write(
      `GET /v1/audit/events?tenant_id=acme HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.admin}\r\n\r\n`,
    );
    await once(authenticated, 'data');
    const closed = new Set<Socket>();
    const attack: Socket[] = [];
    for (let at = 0; at < 100; at++) {
      const socket = await dial();
      socket.resume();
      socket.once('close', () => closed.add(socket));
      socket.write(sent);
      attack.push(socket);
    }
    const probe = await dial();
    probe.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(await readAll(probe)).toMatch(/^HTTP\/1.1 200 /);
    await until(() => closed.size >= 70);
    expect(authenticated.destroyed).toBe(false);
    for (const socket of [...attack, authenticated]) socket.destroy();
  });

  it('are answered before their body has arrived, and closed', async () => {
    const socket = await dial();
    socket.write(
      'POST /v1/audit/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    expect(await readAll(socket)).toMatch(/^HTTP\/1.1 401 .*connection: close.*UNAUTHENTICATED/is);
  });
});
