import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { httpWire } from '../../src/backend/wire.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers in turn; the last one again and again. */
let answers: Answer[] = [];
let requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
  answer(request, response);
}).listen(0, '127.0.0.1');
const port = () => (server.address() as AddressInfo).port;
afterAll(() => void server.close());
beforeEach(() => {
  requests = [];
});

const status =
  (code: number, body: object | string = '', headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const wire = (key?: string, path = '') => httpWire(new URL(`http://127.0.0.1:${port()}${path}`), key, [1, 1]);

test('the key and the path below the base go with the request', async () => {
  answers = [status(200, 'ok')];
  expect(await (await wire('secret', '/tally')('v1/tenants')).text()).toBe('ok');
  expect(requests[0]!.url).toBe('/tally/v1/tenants');
  expect(requests[0]!.headers.authorization).toBe('Bearer secret');
});

describe('tries again', () => {
  test.each([408, 425, 429, 500, 502, 503])('after %i', async (code) => {
    answers = [status(code, '', { 'retry-after': '0' }), status(200, 'ok')];
    expect(await (await wire()('x', { method: 'POST', body: '{}' })).text()).toBe('ok');
    expect(requests).toHaveLength(2);
  });

  test('after a broken connection', async () => {
    answers = [(request) => request.socket.destroy(), status(200, 'ok')];
    expect((await wire()('x')).status).toBe(200);
  });

  test('and gives up', async () => {
    answers = [status(503, { title: 'Unavailable', code: 'STORE_UNAVAILABLE', detail: 'the store is away' })];
    await expect(wire()('x')).rejects.toThrow('answered 503 STORE_UNAVAILABLE: the store is away');
    expect(requests).toHaveLength(3);
  });
});

describe('is refused once', () => {
  test.each([
    [400, 'REQUEST_REFUSED'],
    [401, 'UNAUTHORIZED'],
    [403, 'UNAUTHORIZED'],
    [404, 'NOT_FOUND'],
    [422, 'REQUEST_REFUSED'],
  ])('with %i', async (given, code) => {
    answers = [status(given, '<html>a proxy</html>')];
    await expect(wire()('x')).rejects.toMatchObject({ code });
    expect(requests).toHaveLength(1);
  });

  test('without a key, that is the hint', async () => {
    answers = [status(401)];
    await expect(wire()('x')).rejects.toMatchObject({
      hint: 'give an API key: --key KEY, or TALLYSTICK_API_KEY',
    });
    await expect(wire('k')('x')).rejects.toMatchObject({ hint: undefined });
  });
});

test('a redirect is not followed: the key would go with it', async () => {
  answers = [status(302, '', { location: 'http://127.0.0.1:1/' })];
  await expect(wire('k')('x')).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE' });
});

test('nobody there', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port: free } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const nobody = httpWire(new URL(`http://127.0.0.1:${free}`), undefined, []);
  await expect(nobody('x')).rejects.toThrow(`no answer from http://127.0.0.1:${free}: ECONNREFUSED`);
});
