import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpApp } from '../../src/http/http-app.ts';
import { event, Harness } from './harness.ts';

const app = 'https://app.example';
const list = '/v1/audit/events?tenant_id=acme';
let http: Harness;
let closed: Harness;
beforeAll(async () => {
  http = await Harness.open({
    corsOrigins: [app, 'http://localhost:5173'],
    rates: { callers: { perSecond: 1_000, burst: 1_000 } },
  });
  closed = await Harness.open();
  await http.ingest([event()]);
});
afterAll(async () => {
  await http?.[Symbol.asyncDispose]();
  await closed?.[Symbol.asyncDispose]();
});

/** `fetch` sends no `Host` and some other headers that a test wants to set, so this asks with `node:http`. */
function ask(harness: Harness, method: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: Record<string, string | string[] | undefined> }>(
    (resolve, reject) => {
      const sent = request(new URL(path, harness.url), { method, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers }));
      });
      sent.once('error', reject).end();
    },
  );
}
const preflight = (origin: string, path = list, harness = http) =>
  ask(harness, 'OPTIONS', path, {
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  });
const corsOf = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('a page of an allowed origin', () => {
  test('may ask first, and learns which methods and headers it may use', async () => {
    const { status, headers } = await preflight(app);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    });
    const allowed = String(headers['access-control-allow-headers']).split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['Authorization', 'Content-Type', 'Last-Event-ID']));
    expect(allowed).not.toContain('x-tallystick-csrf');
    expect((await preflight('http://localhost:5173')).headers['access-control-allow-origin']).toBe(
      'http://localhost:5173',
    );
  });

  test('reads answers and errors with a key, and what they say of limits', async () => {
    const read = await http.call('GET', list, { headers: { origin: app } });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, app]);
    const exposed = read.headers.get('access-control-expose-headers')!;
    for (const name of ['RateLimit', 'RateLimit-Policy', 'Retry-After']) {
      expect(exposed.split(', ')).toContain(name);
    }
    for (const [path, status] of [
      ['/v1/audit/events?limit=x', 400],
      ['/v1/nothing', 404],
    ] as const) {
      const failed = await http.call('GET', path, { headers: { origin: app } });
      expect([failed.status, failed.headers.get('access-control-allow-origin')]).toEqual([status, app]);
    }
    const unknown = await http.call('GET', list, { key: '', headers: { origin: app } });
    expect([unknown.status, unknown.headers.get('access-control-allow-origin')]).toEqual([401, app]);
  });

  test('reads every header that an answer has for a program: an export says where it ends', async () => {
    // What scripts may always read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name), and what is of the connection.
    const others = ['cache-control', 'content-length', 'content-type', 'date', 'vary'];
    const isOther = (name: string) =>
      others.includes(name) || /^(?:access-control-|connection|keep-|tr)/.test(name);
    for (const [method, path] of [
      ['GET', '/v1/audit/events/export?tenant_id=acme'],
      ['GET', '/v1/logs/acme/bundle'],
      ['GET', '/v1/nothing'],
      ['DELETE', list],
    ] as const) {
      for (const authorization of [`Bearer ${http.admin}`, 'Bearer x']) {
        const { headers } = await ask(http, method, path, { origin: app, authorization });
        const exposed = String(headers['access-control-expose-headers']).toLowerCase().split(', ');
        expect([
          path,
          Object.keys(headers).filter((name) => !isOther(name) && !exposed.includes(name)),
        ]).toEqual([path, []]);
      }
    }
  });

  test('follows a stream', async () => {
    const stop = new AbortController();
    const response = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=acme`, {
      headers: { origin: app, authorization: `Bearer ${http.admin}` },
      signal: stop.signal,
    });
    expect(response.headers.get('access-control-allow-origin')).toBe(app);
    stop.abort();
  });

  test('is never allowed the cookie of the console, nor its routes', async () => {
    const own = { origin: http.url, 'sec-fetch-site': 'same-origin' };
    const signedIn = await http.call('POST', '/console/session', {
      key: '',
      body: { key: http.admin },
      headers: { ...own, 'x-tallystick-console': '1' },
    });
    const cookie = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!;
    const used = await ask(http, 'GET', list, { cookie, origin: app, 'sec-fetch-site': 'cross-site' });
    expect(used.status).toBe(403);
    expect(used.headers).not.toHaveProperty('access-control-allow-credentials');
    for (const path of ['/console/session', '/console/', '/console', '/metrics', '/', '/%76%31/tenants']) {
      const { status, headers } = await preflight(app, path);
      expect([path, status >= 400, corsOf(headers)]).toEqual([path, true, []]);
      const read = await ask(http, 'GET', path, { origin: app, cookie });
      expect([path, corsOf(read.headers)]).toEqual([path, []]);
    }
  });
});

describe('a page of another origin', () => {
  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'http://app.example',
    'https://APP.example',
    'null',
    `${app}/`,
    `${app}, https://evil.example`,
  ])('%s is told nothing', async (origin) => {
    const asked = await preflight(origin);
    expect([asked.status, corsOf(asked.headers)]).toEqual([405, []]);
    const read = await ask(http, 'GET', list, { origin, authorization: `Bearer ${http.admin}` });
    expect([read.status, corsOf(read.headers)]).toEqual([200, []]);
    // A cache must not give this answer to the allowed origin.
    expect(read.headers.vary).toBe('Origin');
  });

  test('and of no origin varies too, so that a cache keeps them apart', async () => {
    expect((await http.get(list)).headers.get('vary')).toBe('Origin');
  });
});

test('without configuration no origin is allowed, and answers do not vary', async () => {
  const asked = await preflight(app, list, closed);
  expect([asked.status, corsOf(asked.headers)]).toEqual([405, []]);
  const read = await closed.call('GET', list, { headers: { origin: app } });
  expect([read.headers.get('access-control-allow-origin'), read.headers.get('vary')]).toEqual([null, null]);
});

test.each([
  '*',
  'null',
  '',
  'app.example',
  'https://*.example',
  'https://app.example/',
  'https://app.example/path',
  'https://app.example:443',
  'https://user@app.example',
  'https://App.example',
  'http://app.example',
  'file://',
])('the origin %j can not be allowed', (origin) => {
  const open = () => createHttpApp(http.service, { logger: false, corsOrigins: [app, origin] });
  expect(open).toThrow(/is not an origin that can be allowed/);
});
