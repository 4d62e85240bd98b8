import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
/** Added to the service's clock. */
let shift = 0;
/** Set while the clock stands still. */
let frozen: number | undefined;
const now = () => (frozen ?? Date.now()) + shift;
const folder = tempDir();

beforeAll(async () => {
  http = await Harness.open({ now, service: { now } });
  await http.ingest([event(), event({ tenant_id: 'globex' })]);
});
afterAll(async () => {
  await http?.[Symbol.asyncDispose]();
  folder.remove();
});
beforeEach(() => {
  shift = 0;
  frozen = undefined;
});

/** What a browser sends with every request that the console makes. */
const fromConsole = () => ({ origin: http.url, 'sec-fetch-site': 'same-origin' });
const none = { key: '' };

async function signIn(body: object, headers: Record<string, string> = {}) {
  return await http.call('POST', '/console/session', {
    ...none,
    body,
    headers: { ...fromConsole(), 'x-tallystick-console': '1', ...headers },
  });
}

/** A signed-in browser. */
async function browser(key: string) {
  const answer = await signIn({ key });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.get('set-cookie')!.split(';', 1)[0]!;
  const { csrf } = answer.json.session as { readonly csrf: string };
  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
    http.call(method, path, {
      ...none,
      ...(body !== undefined && { body }),
      headers: { ...fromConsole(), cookie, ...headers },
    });
  return { answer, cookie, csrf, call };
}

const eventsOfAcme = '/v1/audit/events?tenant_id=acme';
const recordsOf = async (type: string) =>
  (await http.get(`/v1/audit/events?tenant_id=tallystick&event_type=${type}&limit=100&order=desc`)).json
    .events;

describe('a sign-in', () => {
  test('with a key sets a cookie that no script reads, with the rights of the key', async () => {
    const key = await http.key(['acme'], 'events:read');
    const { answer, call } = await browser(key);
    expect(answer.headers.get('set-cookie')).toMatch(
      /^tallystick-[0-9a-f]{8}=[\w-]{59}; Expires=[^;]+ GMT; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json.session).toMatchObject({ name: 'test', scopes: ['events:read'], tenants: ['acme'] });
    expect((await call('GET', eventsOfAcme)).status).toBe(200);
    expect((await call('GET', '/v1/audit/events?tenant_id=globex')).status).toBe(403);
    expect((await call('GET', '/v1/api-keys')).status).toBe(403);
    expect((await call('GET', '/console/session')).json.session).toEqual(answer.json.session);
  });

  test('behind a proxy that ends HTTPS gets a cookie for HTTPS and this host alone', async () => {
    const { headers } = await signIn({ key: http.admin }, { 'x-forwarded-proto': 'https' });
    expect(headers.get('set-cookie')).toMatch(
      /^__Host-tallystick-[0-9a-f]{8}=.*; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    const cookie = headers.get('set-cookie')!.split(';', 1)[0]!;
    const https = { ...fromConsole(), 'x-forwarded-proto': 'https' };
    expect((await http.call('GET', eventsOfAcme, { ...none, headers: { ...https, cookie } })).status).toBe(
      200,
    );
    // A page of another subdomain could set a cookie of the name without the prefix.
    const planted = cookie.replace('__Host-', '');
    expect(
      (await http.call('GET', eventsOfAcme, { ...none, headers: { ...https, cookie: planted } })).status,
    ).toBe(401);
  });

  test('with a link works one time, and in time', async () => {
    const link = http.service.signInLinks.create();
    const answers = await Promise.all([signIn({ link }), signIn({ link })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    const late = http.service.signInLinks.create();
    shift = 11 * 60_000;
    expect((await signIn({ link: late })).json).toMatchObject({
      code: 'UNAUTHENTICATED',
      detail: expect.stringContaining('more than ten minutes old'),
    });
  });

  test('is recorded without a secret, and so are a sign-out and a refusal', async () => {
    const key = await http.key(['acme'], 'events:read');
    const { csrf, cookie, call } = await browser(key);
    expect((await call('DELETE', '/console/session', { 'x-tallystick-csrf': csrf })).status).toBe(204);
    expect((await signIn({ key: `${key.slice(0, -1)}x` })).status).toBe(401);
    const principal = `key:${key.split('_')[1]}`;
    const [refused, signedIn] = await recordsOf('auth.login');
    expect(refused).toMatchObject({ actor_id: 'unknown', outcome: { outcome_status: 'denied' } });
    expect(signedIn).toMatchObject({
      actor_id: principal,
      metadata: { method: 'key' },
      source_ip: '127.0.0.1',
    });
    const [signedOut] = await recordsOf('auth.logout');
    expect(signedOut).toMatchObject({ actor_id: principal, target_id: signedIn.target_id });
    const secrets = [key.split('_')[2]!, cookie.split('=')[1]!.slice(16), csrf];
    const texts = JSON.stringify([refused, signedIn, signedOut]);
    for (const secret of secrets) expect(texts).not.toContain(secret);
  });

  test('that is refused too often is not recorded any more, and a valid key still signs in', async () => {
    const before = (await recordsOf('auth.login')).length;
    const statuses: number[] = [];
    for (let at = 0; at < 12; at++) statuses.push((await signIn({ key: 'tally_no' })).status);
    expect(statuses.at(-1)).toBe(429);
    const limited = await signIn({ link: 'nothing' });
    expect(limited.json.code).toBe('RATE_LIMITED');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await signIn({ key: http.admin })).status).toBe(200);
    const added = (await recordsOf('auth.login')).length - before;
    expect(added).toBe(statuses.filter((status) => status === 401).length + 1);
  });

  test('of one key is possible once a second after the first sixty: each is a row, and a record of the service', async () => {
    const key = await http.key(['acme'], 'events:write');
    frozen = Date.now();
    const answers = await Promise.all(Array.from({ length: 61 }, () => signIn({ key })));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(60).fill(200), 429]);
    const limited = await signIn({ key });
    expect([limited.json.code, limited.headers.get('retry-after')]).toEqual(['RATE_LIMITED', '1']);
    expect(limited.headers.get('set-cookie')).toBeNull();
    expect((await signIn({ key: await http.key(['acme'], 'events:read') })).status).toBe(200);
    shift += 1_000;
    expect((await signIn({ key })).status).toBe(200);
  });

  test('behind two proxies, of which the first ends HTTPS, gets a cookie for HTTPS', async () => {
    const { headers } = await signIn({ key: http.admin }, { 'x-forwarded-proto': 'https, http' });
    expect(headers.get('set-cookie')).toMatch(/^__Host-tallystick-[0-9a-f]{8}=.*; Secure$/);
    const plain = await signIn({ key: http.admin }, { 'x-forwarded-proto': 'http, https' });
    expect(plain.headers.get('set-cookie')).toMatch(/^tallystick-[0-9a-f]{8}=/);
  });

  test.each([
    ['without the header that no form can send', { 'x-tallystick-console': '' }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another port of this host', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['from a page without an origin', { origin: 'null' }],
  ])('%s is refused', async (_, headers) => {
    const answer = await signIn({ key: http.admin }, headers);
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
  });
});

describe('a session', () => {
  test('ends at sign-out, and its cookie is worth nothing then', async () => {
    const { csrf, call } = await browser(http.admin);
    expect((await call('DELETE', '/console/session')).status).toBe(403);
    const ended = await call('DELETE', '/console/session', { 'x-tallystick-csrf': csrf });
    expect([ended.status, ended.headers.get('set-cookie')]).toEqual([
      204,
      expect.stringContaining('Max-Age=0'),
    ]);
    expect((await call('GET', eventsOfAcme)).json.code).toBe('UNAUTHENTICATED');
    expect((await call('GET', '/console/session')).json.session).toBeNull();
  });

  test('ends with its key', async () => {
    const { key, id } = await http.service.keys.create({ name: 'short', scopes: ['admin'] });
    const { call } = await browser(key);
    expect((await call('GET', eventsOfAcme)).status).toBe(200);
    await http.service.keys.revoke(id);
    expect((await call('GET', eventsOfAcme)).status).toBe(401);
  });

  test('ends when the key expires, after an hour without a request, and after twelve hours', async () => {
    const { key } = await http.service.keys.create({
      name: 'expiring',
      scopes: ['admin'],
      expiresAt: new Date(Date.now() + 30 * 60_000),
    });
    const expiring = await browser(key);
    const idle = await browser(http.admin);
    const busy = await browser(http.admin);
    for (let minutes = 50; minutes < 12 * 60; minutes += 50) {
      shift = minutes * 60_000;
      expect((await busy.call('GET', '/console/session')).json.session).not.toBeNull();
      if (minutes === 50) expect((await expiring.call('GET', '/console/session')).json.session).toBeNull();
    }
    expect((await idle.call('GET', '/console/session')).json.session).toBeNull();
    shift = 12 * 60 * 60_000 + 1;
    expect((await busy.call('GET', '/console/session')).json.session).toBeNull();
  });

  test('does not work for a page of another origin, and changes nothing without its CSRF value', async () => {
    const { csrf, call } = await browser(http.admin);
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      expect((await call('GET', eventsOfAcme, headers)).status).toBe(403);
      expect((await call('POST', '/v1/api-keys', { ...headers, 'x-tallystick-csrf': csrf }, {})).status).toBe(
        403,
      );
    }
    const body = { name: 'made', scopes: ['events:read'] };
    const other = await browser(http.admin);
    expect((await call('POST', '/v1/api-keys', {}, body)).json.code).toBe('FORBIDDEN');
    expect((await call('POST', '/v1/api-keys', { 'x-tallystick-csrf': other.csrf }, body)).status).toBe(403);
    expect((await call('POST', '/v1/api-keys', { 'x-tallystick-csrf': csrf }, body)).status).toBe(201);
  });

  test('is ignored where the request has a key: a bad key is refused, and a key decides alone', async () => {
    const { call } = await browser(http.admin);
    const bad = { authorization: `Bearer tally_000000000000_${'0'.repeat(64)}` };
    expect((await call('GET', eventsOfAcme, bad)).status).toBe(401);
    const weak = { authorization: `Bearer ${await http.key(['globex'], 'events:read')}` };
    expect((await call('GET', eventsOfAcme, weak)).status).toBe(403);
  });

  test('ends its streams at sign-out', async () => {
    const { csrf, cookie, call } = await browser(http.admin);
    const response = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=acme`, {
      headers: { ...fromConsole(), cookie },
    });
    expect(response.status).toBe(200);
    await call('DELETE', '/console/session', { 'x-tallystick-csrf': csrf });
    // The stream ends without an error, so the text is whole.
    expect(await response.text()).toContain(': stream');
  });
});

test('two services at one host name, which browsers give one cookie jar, do not end each other’s sessions', async () => {
  await using other = await Harness.open();
  const first = await browser(await http.key(['acme'], 'events:read'));
  const sent = { ...fromConsole(), origin: other.url, 'x-tallystick-console': '1', cookie: first.cookie };
  const signedIn = await other.call('POST', '/console/session', {
    ...none,
    body: { key: other.admin },
    headers: sent,
  });
  const second = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!;
  const nameOf = (cookie: string) => cookie.split('=', 1)[0];
  expect(nameOf(second)).not.toBe(nameOf(first.cookie));
  const cookie = `${second}; ${first.cookie}`;
  expect((await first.call('GET', eventsOfAcme, { cookie })).status).toBe(200);
  const headers = { ...sent, cookie };
  expect((await other.call('GET', '/v1/tenants', { ...none, headers })).status).toBe(200);
  // The cookie of one service is worth nothing at the other, also under its name.
  const moved = `${nameOf(second)}=${first.cookie.split('=')[1]}`;
  const refused = await other.call('GET', '/v1/tenants', { ...none, headers: { ...sent, cookie: moved } });
  expect(refused.status).toBe(401);
});

test('the store has no secret of a session, and sessions that have ended are deleted', async () => {
  const { cookie } = await browser(http.admin);
  const { writer } = await import('../../../../src/store/database.ts');
  const rows = () =>
    http.service.database.query(writer, 'select t::text as row from audit_console_sessions t');
  expect(JSON.stringify(await rows())).not.toContain(cookie.split('=')[1]!.slice(16));
  shift = 24 * 60 * 60_000;
  await signIn({ key: http.admin });
  expect(await rows()).toHaveLength(1);
});
