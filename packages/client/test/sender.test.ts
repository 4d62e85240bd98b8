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

  test('after 429 also where a repetition would have a second effect: the service has done nothing yet', async () => {
    answers = [status(429, '', { 'retry-after': '0' }), status(201, { id: 'a', key: 'b' })];
    await client().apiKeys.create({ name: 'ci', scopes: ['events:write'] });
    expect(requests).toHaveLength(2);
    answers = [status(429, '', { 'retry-after': '0' }), status(503)];
    await expect(client().deadLetters.purge({ dry_run: false })).rejects.toMatchObject({ status: 503 });
    expect(requests).toHaveLength(4);
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

describe('a credential from a function', () => {
  /** Accepts one token, and refuses others. */
  const accepting =
    (token: string): Answer =>
    (request, response) => {
      const isRight = request.headers.authorization === `Bearer ${token}`;
      response.writeHead(isRight ? 200 : 401).end('{"tenants":[]}');
    };

  test('is asked for once, and again after the service refused it, also for a request that is not retried', async () => {
    const asked: boolean[] = [];
    const apiKey = async ({ refresh }: { readonly refresh: boolean }) => {
      asked.push(refresh);
      return `token-${asked.length}`;
    };
    const renewing = client({ apiKey });
    answers = [accepting('token-1')];
    await renewing.tenants.list();
    await renewing.tenants.list();
    expect(asked).toEqual([false]);
    answers = [accepting('token-2')];
    await renewing.apiKeys.create({ name: 'n', scopes: ['admin'] });
    expect(asked).toEqual([false, true]);
  });

  test('is renewed once for requests that are refused at once', async () => {
    let calls = 0;
    const renewing = client({ apiKey: () => `token-${++calls}` });
    answers = [accepting('token-1')];
    await renewing.tenants.list();
    answers = [accepting('token-2')];
    await Promise.all(Array.from({ length: 5 }, () => renewing.tenants.list()));
    expect(calls).toBe(2);
  });

  test('that stays refused is an error, and the function is not asked for ever', async () => {
    let calls = 0;
    answers = [accepting('none')];
    const refused = client({ apiKey: () => `token-${++calls}` }).tenants.list();
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(calls).toBe(2);
  });

  test('that fails or can not be a header is an error with its cause, and the next call asks again', async () => {
    answers = [accepting('token')];
    const results = [() => Promise.reject(new Error('provider down')), () => 'two\nlines', () => 'token'];
    const renewing = client({ apiKey: () => results.shift()!() });
    await expect(renewing.tenants.list()).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      cause: { message: 'provider down' },
    });
    await expect(renewing.tenants.list()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    expect(await renewing.tenants.list()).toEqual({ tenants: [] });
  });

  test('of a provider that hangs does not hold up a call that is aborted', async () => {
    const reason = new Error('enough');
    const hanging = client({ apiKey: () => new Promise<string>(() => {}) });
    const aborted = new AbortController();
    const call = hanging.tenants.list({}, { signal: aborted.signal });
    aborted.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});
