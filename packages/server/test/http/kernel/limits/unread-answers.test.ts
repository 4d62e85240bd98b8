import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

/**
 * One key that asked for 150 full pages and read none of them held a gigabyte of the service's memory: Node keeps what a client does
 * not read.
 */

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ limits: { maxUnreadBytes: 12 * 1024 * 1024 } });
  const text = 'x'.repeat(240_000);
  for (let n = 0; n < 2; n++)
    await http.ingest(Array.from({ length: 20 }, () => event({ metadata: { text } })));
});
afterAll(() => http?.[Symbol.asyncDispose]());

/** Asks for a page of 8 MiB, and does not read it. The kernel's buffers take a part of it. */
async function askAndReadNothing(path: string, key = http.admin): Promise<Socket> {
  const accepted = once(http.server.app.server, 'connection') as Promise<Socket[]>;
  const socket = connect({ port: Number(new URL(http.url).port), host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`);
  const [atServer] = await accepted;
  await until(() => atServer!.bytesWritten > 0);
  return socket;
}

it('an answer that its client does not read counts until the client has gone', {
  timeout: 60_000,
}, async () => {
  const path = '/v1/audit/events?tenant_id=acme&limit=200';
  const unread = await askAndReadNothing(path);
  const refused = await http.get(path);
  expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
    503,
    'OVERLOADED',
    '1',
  ]);
  expect((await http.get('/v1/tenants')).status).toBe(200);
  unread.destroy();
  await until(async () => (await http.get(path)).status === 200);
});

it('unread answers of all viewer tokens of one key count together', { timeout: 60_000 }, async () => {
  const key = await http.key(['acme'], 'viewer-tokens:issue', 'events:read', 'log:read');
  const make = async (): Promise<string> =>
    (await http.call('POST', '/v1/viewer-tokens', { key, body: {} })).json.token;
  // 20 records of 240 kB: with the answer of a second token, more than half of the budget.
  const path = '/v1/audit/events?tenant_id=acme&limit=20';
  const unread = await askAndReadNothing(path, await make());
  const refused = await http.get(path, await make());
  expect([refused.status, refused.json.code]).toEqual([503, 'OVERLOADED']);
  expect((await http.get(path, http.admin)).status).toBe(200);
  unread.destroy();
});
