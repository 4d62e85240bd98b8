import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpProxy, httpProxy } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../run-tally.ts';

let server: Server;
let proxy: HttpProxy;
let answer: (response: ServerResponse) => void;
beforeAll(async () => {
  server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await httpProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await proxy.close();
  server.close();
});

const tenants = (url: string, env: { readonly [name: string]: string }) =>
  tally(['tenants', '--server', url, '--key', 'tally_k', '--json'], { env });
const one = { tenant_id: 'acme', epoch: 1, records: 3, last_event_at: '2026-03-01T12:00:00.000Z' };

test('a command reaches its service through the proxy, with its key', async () => {
  answer = (response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ tenants: [one], next_cursor: null, key: response.req.headers.authorization }));
  const { stdout, exitCode } = await tenants('http://audit.internal', { HTTP_PROXY: proxy.url });
  expect(JSON.parse(stdout)).toMatchObject({ tenant_id: 'acme' });
  expect(exitCode).toBe(0);
  expect(proxy.requests.at(-1)).toMatch(/^GET http:\/\/audit\.internal\/v1\/tenants/);
});

test('a redirect is refused, because it would carry the key to another address', async () => {
  answer = (response) => response.writeHead(302, { location: 'http://elsewhere.internal/' }).end();
  const { exitCode, stderr } = await tenants('http://audit.internal', { HTTP_PROXY: proxy.url });
  expect(exitCode).toBe(4);
  expect(stderr).toContain('unexpected redirect');
}, 30_000);

test('a loopback address and a host in NO_PROXY are reached directly', async () => {
  const before = proxy.requests.length;
  answer = (response) => response.writeHead(401).end();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect((await tenants(url, { HTTP_PROXY: proxy.url })).exitCode).toBe(4);
  expect(proxy.requests).toHaveLength(before);
});
