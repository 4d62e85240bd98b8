import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type ClientOptions, createClient } from '../src/index.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Returns these answers in turn, and then repeats the last one. */
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
  (code: number, body: object | string = '{}', headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const client = (options: Partial<ClientOptions> & { path?: string } = {}) =>
  createClient({
    url: `http://127.0.0.1:${port()}${options.path ?? ''}`,
    retry: { delaysMs: [1, 1] },
    ...options,
  });
const fetching = (options?: Partial<ClientOptions> & { path?: string }) => client(options).tenants.list();

test('the API key and the path of the address go with the request', async () => {
  answers = [status(200, { tenants: [] })];
  for (const path of ['/tally', '/tally/']) {
    expect(await fetching({ apiKey: 'secret', path })).toEqual({ tenants: [] });
    expect(requests.at(-1)!.url).toBe('/tally/v1/tenants');
    expect(requests.at(-1)!.headers.authorization).toBe('Bearer secret');
  }
});

test('parameters and parts of the path are encoded, and absent ones are left out', async () => {
  answers = [status(200)];
  await client().events.get('a/b?c', { tenant_id: 'x&y' });
  expect(requests[0]!.url).toBe('/v1/audit/events/a%2Fb%3Fc?tenant_id=x%26y');
});

describe('a request is repeated', () => {
  test.each([408, 425, 429, 500, 502, 503])('after %i', async (code) => {
    answers = [status(code, '', { 'retry-after': '0' }), status(200, { results: [] })];
    expect(await client().events.submit([])).toEqual([]);
    expect(requests).toHaveLength(2);
  });

  test('after a broken connection, also in the middle of the answer', async () => {
    const half: Answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"tenants":', () => request.socket.destroy());
    };
    answers = [(request) => request.socket.destroy(), half, status(200, { tenants: [] })];
    expect(await fetching()).toEqual({ tenants: [] });
  });

  test('until the retries are used up', async () => {
    const problem = { title: 'Unavailable', code: 'STORE_UNAVAILABLE', detail: 'the store is away' };
    answers = [status(503, problem)];
    await expect(fetching()).rejects.toMatchObject({
      name: 'ClientError',
      code: 'SERVICE_FAILED',
      status: 503,
      problem,
      message: expect.stringContaining('answered 503 STORE_UNAVAILABLE: the store is away'),
    });
    expect(requests).toHaveLength(3);
  });

  test('but not where a repetition would have a second effect', async () => {
    answers = [status(503)];
    const { apiKeys, producers, deadLetters } = client();
    const calls = [
      () => apiKeys.create({ name: 'ci', scopes: ['events:write'] }),
      () => producers.settle({ reason: 'gone', dry_run: false }),
      () => deadLetters.purge({ dry_run: false }),
    ];
    for (const [at, call] of calls.entries()) {
      await expect(call()).rejects.toMatchObject({ code: 'SERVICE_FAILED' });
      expect(requests).toHaveLength(at + 1);
    }
  });
});

describe('a refusal is final', () => {
  test.each([
    [400, 'REFUSED'],
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [422, 'REFUSED'],
  ])('%i', async (given, code) => {
    answers = [status(given, '<html>a proxy</html>')];
    await expect(fetching()).rejects.toMatchObject({ code, status: given, problem: undefined });
    expect(requests).toHaveLength(1);
  });
});

test('a redirect is not followed: the API key would go with it', async () => {
  answers = [status(302, '', { location: 'http://127.0.0.1:1/' })];
  await expect(fetching({ apiKey: 'k' })).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test('an address where no service listens', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port: free } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const away = createClient({ url: `http://127.0.0.1:${free}`, retry: { delaysMs: [] } });
  await expect(away.health.get()).rejects.toThrow(`no answer from http://127.0.0.1:${free}: ECONNREFUSED`);
});

test('an answer that is not JSON is not one of the service', async () => {
  answers = [status(200, '<html>')];
  await expect(fetching({ name: 'the audit service' })).rejects.toMatchObject({
    code: 'RESPONSE_INVALID',
    message: expect.stringMatching(/^the audit service did not answer with JSON/),
  });
});

test('an abort ends a call, also while it waits to repeat a request', async () => {
  answers = [() => {}];
  const silent = new AbortController();
  const call = client().tenants.list({}, { signal: silent.signal });
  await expect.poll(() => requests.length).toBe(1);
  silent.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');

  answers = [status(503, '', { 'retry-after': '30' })];
  const waiting = new AbortController();
  const repeated = client().tenants.list({}, { signal: waiting.signal });
  await expect.poll(() => requests.length).toBe(2);
  waiting.abort(new Error('enough'));
  await expect(repeated).rejects.toThrow('enough');
});

test.each([
  [{ url: 'ftp://example.com' }, 'url is not an http: or https: address'],
  [{ url: 'example' }, 'url is not an http: or https: address'],
  [{ url: 'http://user:secret@example.com' }, 'use apiKey'],
  [{ url: 'http://example.com', apiKey: 'key\n' }, 'apiKey must be printable ASCII'],
])('options that can not work: %j', (options, message) => {
  expect(() => createClient(options)).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(message) }),
  );
});
