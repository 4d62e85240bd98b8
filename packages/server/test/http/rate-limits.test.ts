import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHttpApp } from '../../src/http/http-app.ts';
import { event, Harness } from './harness.ts';

let http: Harness;
/** The service's clock stands still between two steps of a test, so that buckets don't fill. */
let time = Date.now();
const now = () => time;
const exceptions = new Map<string, { perSecond: number; burst: number }>();

beforeAll(async () => {
  http = await Harness.open({
    now,
    trustedProxies: ['127.0.0.1'],
    rates: { callers: { perSecond: 2, burst: 5 }, exceptions, addresses: { perSecond: 1, burst: 4 } },
  });
});
afterAll(() => http?.[Symbol.asyncDispose]());
beforeEach(() => {
  // Longer than every bucket takes to fill.
  time += 120_000;
});

const tenants = '/v1/tenants';
const times = async <T>(count: number, call: () => Promise<T>): Promise<T[]> => {
  const answers: T[] = [];
  for (let at = 0; at < count; at++) answers.push(await call());
  return answers;
};
const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status);
const from = (address: string) => ({ 'x-forwarded-for': address });

describe('a key', () => {
  test('makes its burst at once, then waits as long as the answer says', async () => {
    const key = await http.key(['acme'], 'events:read');
    const answers = await times(6, () => http.get(tenants, key));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      '"key";r=4;t=1',
      '"key";r=3;t=1',
      '"key";r=2;t=2',
      '"key";r=1;t=2',
      '"key";r=0;t=3',
      '"key";r=0;t=3',
    ]);
    const last = answers.at(-1)!;
    expect(last.headers.get('ratelimit-policy')).toBe('"key";q=5;w=3');
    expect(last.headers.get('retry-after')).toBe('1');
    expect(last.json).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(last.json.detail).toContain('2 requests per second, and 5 at once');
    const slow = await http.key(['acme'], 'events:read');
    exceptions.set(`key:${slow.split('_')[1]}`, { perSecond: 3 / 60, burst: 1 });
    const [, refused] = await times(2, () => http.get(tenants, slow));
    expect(refused!.json.detail).toContain('may make 3 requests per minute, and 1 at once');
    time += 1_000;
    expect(statuses(await times(3, () => http.get(tenants, key)))).toEqual([200, 200, 429]);
  });

  test('has a rate of its own beside that of other keys, and may have an exception', async () => {
    const [one, other] = [await http.key(['acme'], 'events:read'), await http.key(['acme'], 'events:read')];
    await times(6, () => http.get(tenants, one));
    expect((await http.get(tenants, one)).status).toBe(429);
    expect((await http.get(tenants, other)).status).toBe(200);
    const busy = await http.key(['acme'], 'events:read');
    exceptions.set(`key:${busy.split('_')[1]}`, { perSecond: 100, burst: 20 });
    expect(statuses(await times(20, () => http.get(tenants, busy)))).toEqual(Array(20).fill(200));
    expect((await http.get(tenants, busy)).status).toBe(429);
  });

  test('also counts what its scope refuses, and a refused request changes nothing', async () => {
    const key = await http.key(['acme'], 'events:write');
    expect(statuses(await times(5, () => http.get(tenants, key)))).toEqual([403, 403, 403, 403, 403]);
    const sent = event();
    expect((await http.call('POST', '/v1/audit/events', { key, body: sent })).status).toBe(429);
    time += 1_000;
    expect((await http.call('POST', '/v1/audit/events', { key, body: sent })).status).toBe(201);
  });

  test('that gives out viewer tokens gives no rate with each of them: together they have ten times its own', async () => {
    const key = await http.key(['acme'], 'viewer-tokens:issue', 'events:read', 'log:read');
    const issuer = await http.service.keys.authenticate(key);
    const token = async () => {
      const bounds = { filters: {}, lifetimeMs: 900_000, includeRecords: true, includeIngest: false };
      return (await http.service.viewerTokens.issue(issuer, { tenantId: 'acme', ...bounds }))!.token;
    };
    const tokens = await times(11, token);
    const current = (held: string) => http.get('/v1/viewer-tokens/current', held);
    // One visitor that does not stop takes nothing from the others.
    const first = await times(30, () => current(tokens[0]!));
    expect(statuses(first)).toEqual([...Array(5).fill(200), ...Array(25).fill(429)]);
    expect(first[0]!.headers.get('ratelimit')).toBe('"key";r=4;t=1, "viewers";r=49;t=1');
    expect(first[0]!.headers.get('ratelimit-policy')).toBe('"key";q=5;w=3, "viewers";q=50;w=3');
    for (const held of tokens.slice(1, 10))
      expect(statuses(await times(5, () => current(held)))).toEqual(Array(5).fill(200));
    const other = await current(tokens[10]!);
    expect([other.status, other.json.detail]).toEqual([429, expect.stringMatching(/^all viewer tokens of/)]);
    expect(other.headers.get('retry-after')).toBe('1');
    expect((await http.get(tenants, key)).status).toBe(200);
    time += 500;
    expect((await current(tokens[10]!)).status).toBe(200);
  });

  test('of a session counts with the session', async () => {
    const key = await http.key(['acme'], 'events:read');
    const own = { origin: http.url, 'sec-fetch-site': 'same-origin', 'x-tallystick-console': '1' };
    const signedIn = await http.call('POST', '/console/session', { key: '', body: { key }, headers: own });
    const cookie = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!;
    await times(5, () => http.get(tenants, key));
    expect((await http.call('GET', tenants, { key: '', headers: { ...own, cookie } })).status).toBe(429);
  });

  test('opens a stream that says the limit too', async () => {
    const key = await http.key(['acme'], 'events:read');
    const stop = new AbortController();
    const response = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=acme`, {
      headers: { authorization: `Bearer ${key}` },
      signal: stop.signal,
    });
    expect(response.headers.get('ratelimit')).toBe('"key";r=4;t=1');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    stop.abort();
  });
});

describe('an address', () => {
  const bad = `tally_000000000000_${'0'.repeat(64)}`;
  const knock = (address: string, key = bad) => http.call('GET', tenants, { key, headers: from(address) });

  test('whose keys are refused waits, while a valid key passes from the same address', async () => {
    expect(statuses(await times(6, () => knock('192.0.2.1')))).toEqual([401, 401, 401, 401, 429, 429]);
    const limited = await knock('192.0.2.1');
    expect(limited.headers.get('ratelimit-policy')).toBe('"address";q=4;w=4');
    expect(limited.headers.get('retry-after')).toBe('1');
    expect((await knock('192.0.2.1', await http.key(['acme'], 'events:read'))).status).toBe(200);
    expect((await knock('192.0.2.2')).status).toBe(401);
  });

  test('counts cookies that are no session, and requests without a credential', async () => {
    const cookie = `tallystick-${http.service.sessions.cookieLabel}=${'0'.repeat(16)}${'a'.repeat(43)}`;
    const own = { ...from('192.0.2.3'), origin: http.url };
    const withCookie = () => http.call('GET', tenants, { key: '', headers: { ...own, cookie } });
    expect(statuses(await times(2, withCookie))).toEqual([401, 401]);
    const document = () => http.call('GET', '/openapi.json', { key: '', headers: own });
    expect(statuses(await times(3, document))).toEqual([200, 200, 429]);
  });

  test('that waits still gets answers to probes, and can sign in with a valid key', async () => {
    const headers = from('192.0.2.4');
    await times(5, () => knock('192.0.2.4'));
    expect((await http.call('GET', '/openapi.json', { key: '', headers })).status).toBe(429);
    for (const path of ['/health', '/ready'])
      expect((await http.call('GET', path, { key: '', headers })).status).toBe(200);
    const signIn = (key: string) =>
      http.call('POST', '/console/session', {
        key: '',
        body: { key },
        headers: { ...headers, 'x-tallystick-console': '1' },
      });
    const refused = await times(11, () => signIn(bad));
    expect(statuses(refused)).toEqual([...Array(10).fill(401), 429]);
    expect(refused.at(-1)!.headers.get('retry-after')).toBe('6');
    expect((await signIn(http.admin)).status).toBe(200);
  });

  test('is one of many that a client can have: refused sign-ins of all addresses fill the chain once a second at most', async () => {
    const records = async () =>
      (await http.get('/v1/audit/events?tenant_id=tallystick&event_type=auth.login&limit=200')).json.events
        .length;
    const before = await records();
    const refuse = (at: number) =>
      http.call('POST', '/console/session', {
        key: '',
        body: { key: bad },
        headers: { ...from(`2001:db8:${at.toString(16)}::1`), 'x-tallystick-console': '1' },
      });
    const answers = await Promise.all(Array.from({ length: 70 }, (_, at) => refuse(at)));
    expect(new Set(statuses(answers))).toEqual(new Set([401]));
    expect((await records()) - before).toBe(60);
  });

  test('of IPv6 counts as its network, and of IPv4 in IPv6 as the IPv4 address', async () => {
    await times(4, () => knock('2001:db8:1:2::1'));
    expect((await knock('2001:db8:1:2:ffff::9')).status).toBe(429);
    expect((await knock('2001:db8:1:3::1')).status).toBe(401);
    await times(4, () => knock('192.0.2.5'));
    expect((await knock('::ffff:192.0.2.5')).status).toBe(429);
  });

  test('that a client invents behind a trusted proxy does not count: the proxy adds the true one last', async () => {
    for (let at = 0; at < 4; at++) await knock(`198.51.100.${at}, 192.0.2.6`);
    expect((await knock('198.51.100.9, 192.0.2.6')).status).toBe(429);
    // A proxy that passes the client's header on: the text is no address, and the connection's address counts.
    await times(4, () => knock('not an address'));
    expect((await knock('"><script>')).status).toBe(429);
  });
});

test.each(['10.0.0.0/33', 'proxy.example', ''])('the trusted proxy %j is refused at the start', (text) => {
  const open = () => createHttpApp(http.service, { logger: false, trustedProxies: [text] });
  expect(open).toThrow(/a trusted proxy must be an address/);
});
