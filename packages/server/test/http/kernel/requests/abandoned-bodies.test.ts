import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

/**
 * A client that went away while the service looked up its key left 64 KiB of the budget for bodies taken, permanently: the response had
 * closed before the service listened for that. After 512 such requests, every batch of the key was refused with 503 until a restart.
 */

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ limits: { maxPendingBytes: 1024 * 1024 } });
});
afterAll(() => http?.[Symbol.asyncDispose]());

/** Begins a batch, and goes away while the service looks up its key. */
async function beginAndLeave(): Promise<void> {
  const accepted = once(http.server.app.server, 'connection') as Promise<Socket[]>;
  const socket = connect({ port: Number(new URL(http.url).port), host: '127.0.0.1' });
  const [atServer] = await accepted;
  const { keys } = http.service;
  const lookUp = keys.authenticate.bind(keys);
  const left = new Promise<void>((resolve) => {
    keys.authenticate = async (key) => {
      const gone = new Promise((close) => atServer!.once('close', close));
      socket.destroy();
      await gone;
      keys.authenticate = lookUp;
      resolve();
      return await lookUp(key);
    };
  });
  const head = [
    'POST /v1/audit/events/batch HTTP/1.1',
    ...['host: x', `authorization: Bearer ${http.admin}`],
    ...['content-type: application/json', 'content-length: 1000'],
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await left;
}

it('a client that goes away while its key is looked up leaves nothing of the budget taken', async () => {
  // The key may hold half of the budget: eight requests that have just begun.
  for (let gone = 0; gone < 16; gone++) await beginAndLeave();
  await until(async () => (await http.ingest([event()])).status === 201, {
    what: 'a batch that is accepted',
  });
});
