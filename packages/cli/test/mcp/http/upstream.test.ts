import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { Upstream } from '../../../src/mcp/http/upstream.ts';
import { scriptedServer } from './scripted-server.ts';

const { signal } = new AbortController();
const post = (url: URL) =>
  new Upstream(url, { authorization: 'Bearer t' }, {}).send({
    method: 'POST',
    headers: { 'accept-encoding': 'gzip', authorization: 'of the client' },
    body: '{}',
    signal,
  });

test('the headers of the operator replace those of the client, and answers are not encoded', async () => {
  await using server = await scriptedServer((_request, response) => response.end('ok'));
  expect(await text(await post(server.url))).toBe('ok');
  expect(server.arrived[0]!.headers).toMatchObject({
    authorization: 'Bearer t',
    'accept-encoding': 'identity',
    'content-length': '2',
  });
});

test('a redirect inside the origin is followed with method and body', async () => {
  await using server = await scriptedServer(({ headers }, response) => {
    if (server.arrived.length === 1) response.writeHead(308, { location: '/other' }).end();
    else response.end(headers.authorization);
  });
  expect(await text(await post(server.url))).toBe('Bearer t');
  expect(server.arrived.map(({ method, body }) => [method, body])).toEqual([
    ['POST', '{}'],
    ['POST', '{}'],
  ]);
});

test.each([
  ['another origin', 307, 'https://elsewhere.example/mcp', 'redirects to https://elsewhere.example'],
  ['no address', 307, undefined, 'redirects more than'],
  ['a method without a body', 302, '/other', 'redirects to /other with status 302'],
  ['itself', 308, '/mcp', 'redirects more than 5 times'],
])('a redirect to %s is not followed', async (_name, status, location, message) => {
  await using server = await scriptedServer((_request, response) => {
    response.writeHead(status, location === undefined ? {} : { location }).end();
  });
  await expect(post(server.url)).rejects.toThrow(message);
});

test('an encoded answer is refused, because the proxy could not read it', async () => {
  await using server = await scriptedServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
  });
  await expect(post(server.url)).rejects.toThrow('encodes its answers');
});
