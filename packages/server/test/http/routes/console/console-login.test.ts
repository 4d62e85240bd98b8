import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { freePort, openTestOpenIdProvider, type TestOpenIdProvider } from '@tallystick/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readLoginOptions } from '../../../../src/access/logins/login-options.ts';
import { documentDigest } from '../../../../src/approvals/openings.ts';
import { createHttpApp } from '../../../../src/http/http-app.ts';
import { serveHttp } from '../../../../src/http/serve.ts';
import { event, Harness } from '../../harness.ts';

/** People sign in with a real provider. The service stands at an address that is known before it starts, as in production. */
let provider: TestOpenIdProvider;
let http: Harness;
let shift = 0;
const now = () => Date.now() + shift;
const people = {
  maria: { tenants: ['acme'], groups: ['readers', 'approvers'] },
  guest: { tenants: ['acme'], groups: ['cooks'] },
  homeless: { groups: ['readers'] },
  leaver: { tenants: ['acme'], groups: ['readers'] },
  /** The provider says that another client asked for the token. */
  stranger: { tenants: ['acme'], groups: ['readers'], azp: 'another-client' },
};
const clientId = 'console-of-the-test';

beforeAll(async () => {
  provider = await openTestOpenIdProvider(people);
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/console/login/callback`;
  await provider.register({ id: clientId, redirectUri });
  http = await Harness.open({ port, now, service: { now }, logins: loginsFor(redirectUri) });
  await http.ingest([event(), event({ tenant_id: 'globex' })]);
});
afterAll(async () => {
  await http?.[Symbol.asyncDispose]();
  await provider?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  shift = 0;
  provider.isDown = false;
  provider.visitor = 'maria';
});

function loginsFor(redirect_uri: string, console: object = {}) {
  return readLoginOptions({
    issuer: provider.issuer,
    audience: provider.audience,
    tenants: { claim: 'tenants' },
    groups: { claim: 'groups' },
    scopes: {
      claim: 'groups',
      grant: { readers: ['events:read', 'log:read'], approvers: ['approvals:decide'] },
    },
    console: { client_id: clientId, redirect_uri, name: 'Example', ...console },
  });
}

const sessionName = () => `tallystick-${http.service.sessions.cookieLabel}`;
const attemptName = () => `tallystick-login-${http.service.sessions.cookieLabel}`;

/** A browser, as far as cookies and redirects go. */
class Visit {
  readonly cookies = new Map<string, string>();
  readonly #service: string;

  /** @param service where the visit begins */
  constructor(service = http.url) {
    this.#service = service;
  }

  async get(url: string | URL): Promise<Response> {
    const { host } = new URL(url);
    const own = [...this.cookies].filter(([name]) => name.startsWith(`${host} `));
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: own.map(([name, value]) => `${name.split(' ')[1]}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '') this.cookies.delete(`${host} ${name}`);
      else this.cookies.set(`${host} ${name}`, value!);
    }
    return response;
  }

  /** Follows redirects from the service to the provider, until the provider sends the browser back. */
  async toCallback(page = ''): Promise<URL> {
    let url = new URL(`${this.#service}/console/login?page=${encodeURIComponent(page)}`);
    for (let steps = 0; steps < 10; steps++) {
      const response = await this.get(url);
      expect(response.status, await response.text()).toBe(303);
      url = new URL(response.headers.get('location')!, url);
      if (url.pathname === '/console/login/callback') return url;
    }
    throw new Error(`no way back: ${url}`);
  }

  async signIn(page = ''): Promise<Response> {
    return await this.get(await this.toCallback(page));
  }

  cookie(name: string): string | undefined {
    return this.cookies.get(`${new URL(http.url).host} ${name}`);
  }

  async read(path: string, headers: Record<string, string> = {}) {
    return await http.call('GET', path, {
      key: '',
      headers: { cookie: `${sessionName()}=${this.cookie(sessionName())}`, origin: http.url, ...headers },
    });
  }
}

const locationOf = (response: Response) => [response.status, response.headers.get('location')];
const failed = (why: string) => [303, `../#login=${why}`];

describe('a login', () => {
  test('opens a session with the rights and the subject of the person, and the page from which it began', async () => {
    const visit = new Visit();
    const response = await visit.signIn('events?tenant=acme&q=a%20b');
    expect(locationOf(response)).toEqual([303, '../events?tenant=acme&q=a%20b']);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^tallystick-login-[0-9a-f]{8}=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(
        /^tallystick-[0-9a-f]{8}=[\w-]{59}; Expires=[^;]+ GMT; Path=\/; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { session } = (await visit.read('/console/session')).json;
    expect(session).toMatchObject({
      subject: `${provider.issuer}#maria`,
      scopes: ['events:read', 'log:read', 'approvals:decide'],
      tenants: ['acme'],
    });
    expect((await visit.read('/v1/audit/events?tenant_id=acme')).status).toBe(200);
    expect((await visit.read('/v1/audit/events?tenant_id=globex')).status).toBe(403);
    const records = (await http.get('/v1/audit/events?tenant_id=tallystick&event_type=auth.login&limit=1'))
      .json;
    expect(records.events[0]).toMatchObject({
      metadata: { method: 'login' },
      actor_id: `login:${provider.issuer}#maria`,
    });
  });

  test('asks with code, PKCE, state, nonce, and the exact address to come back to', async () => {
    const response = await new Visit().get(`${http.url}/console/login`);
    const asked = new URL(response.headers.get('location')!);
    expect(asked.origin).toBe(provider.issuer);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: clientId,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: `${http.url}/console/login/callback`,
      scope: 'openid',
    });
    expect(response.headers.getSetCookie()[0]).toMatch(
      /^tallystick-login-[0-9a-f]{8}=[\w.-]+; Expires=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '../../etc',
    'javascript:alert(1)',
    'events#x',
    'events?a\r\nSet-Cookie: a=b',
    'a'.repeat(1_900),
  ])('opens no page %j of another place', async (page) => {
    expect(locationOf(await new Visit().signIn(page))).toEqual([303, '../']);
  });

  test('of a person who refuses, who logged in for another client, or who has no scope or no tenant, opens nothing', async () => {
    for (const [visitor, why] of [
      ['nobody', 'refused'],
      ['stranger', 'refused'],
      ['guest', 'rights'],
      ['homeless', 'rights'],
    ] as const) {
      provider.visitor = visitor;
      const visit = new Visit();
      expect(locationOf(await visit.signIn())).toEqual(failed(why));
      expect(visit.cookie(sessionName())).toBeUndefined();
    }
  });

  test('of a blocked person is refused, and a block ends the session', async () => {
    provider.visitor = 'leaver';
    const visit = new Visit();
    await visit.signIn();
    expect((await visit.read('/v1/tenants')).status).toBe(200);
    await http.call('POST', '/v1/blocked-subjects', { body: { subject: `${provider.issuer}#leaver` } });
    expect((await visit.read('/v1/tenants')).status).toBe(401);
    expect(locationOf(await new Visit().signIn())).toEqual(failed('refused'));
  });
});

describe('an answer of the provider', () => {
  test('works once: neither the same browser nor another one can use it again', async () => {
    const visit = new Visit();
    const answer = await visit.toCallback();
    const attempt = visit.cookie(attemptName())!;
    expect(locationOf(await new Visit().get(answer))).toEqual(failed('refused'));
    expect(locationOf(await visit.get(answer))).toEqual([303, '../']);
    expect(visit.cookie(attemptName())).toBeUndefined();
    expect(locationOf(await visit.get(answer))).toEqual(failed('refused'));
    // A thief who has copied both: the provider takes a code once.
    const thief = new Visit();
    thief.cookies.set(`${new URL(http.url).host} ${attemptName()}`, attempt);
    expect(locationOf(await thief.get(answer))).toEqual(failed('refused'));
  });

  test('may have a question mark in its query: no part of it is left out', async () => {
    const visit = new Visit();
    const answer = await visit.toCallback();
    const { search } = answer;
    answer.search = `?more=a?b&${search.slice(1)}`;
    expect(locationOf(await visit.get(answer))).toEqual([303, '../']);
  });

  test.each([
    ['another state', (answer: URL) => answer.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (answer: URL) => answer.searchParams.delete('state')],
    ['another code', (answer: URL) => answer.searchParams.set('code', 'x'.repeat(43))],
    ['no code', (answer: URL) => answer.searchParams.delete('code')],
    ['two codes', (answer: URL) => answer.searchParams.append('code', 'x')],
    ['another issuer', (answer: URL) => answer.searchParams.set('iss', 'https://evil.example')],
    ['no issuer', (answer: URL) => answer.searchParams.delete('iss')],
    ['a long tail', (answer: URL) => answer.searchParams.set('x', 'y'.repeat(9_000))],
  ])('with %s is refused', async (_, change) => {
    const visit = new Visit();
    const answer = await visit.toCallback();
    change(answer);
    expect(locationOf(await visit.get(answer))).toEqual(failed('refused'));
    expect(visit.cookie(sessionName())).toBeUndefined();
  });

  test('to an attempt of another person is refused: the victim does not become the attacker', async () => {
    const [attacker, victim] = [new Visit(), new Visit()];
    const answer = await attacker.toCallback();
    await victim.toCallback();
    expect(locationOf(await victim.get(answer))).toEqual(failed('refused'));
  });

  test('to an attempt that the service did not make, or that is too old, is refused', async () => {
    const visit = new Visit();
    const answer = await visit.toCallback();
    const name = `${new URL(http.url).host} ${attemptName()}`;
    const [body, mac] = visit.cookies.get(name)!.split('.');
    const read = JSON.parse(Buffer.from(body!, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...read, page: 'events' })).toString('base64url');
    for (const cookie of [`${forged}.${mac}`, `${body}.`, `${body}`, '.', 'x.y']) {
      const thief = new Visit();
      thief.cookies.set(name, cookie);
      expect(locationOf(await thief.get(answer))).toEqual(failed('refused'));
    }
    shift = 10 * 60_000;
    expect(locationOf(await visit.get(answer))).toEqual(failed('refused'));
  });

  test('can be sent to a service behind another host name without effect: the configured address counts', async () => {
    const visit = new Visit();
    const answer = await visit.toCallback();
    const other = new URL(answer);
    other.hostname = 'localhost';
    visit.cookies.set(`${other.host} ${attemptName()}`, visit.cookie(attemptName())!);
    expect(locationOf(await visit.get(other))).toEqual([303, '../']);
  });
});

describe('a session of a login', () => {
  test('ends at sign-out, on every replica', async () => {
    const visit = new Visit();
    await visit.signIn();
    const { csrf } = (await visit.read('/console/session')).json.session;
    const replica = createHttpApp(http.service, { logger: false, now });
    const cookie = `${sessionName()}=${visit.cookie(sessionName())}`;
    const onReplica = async () =>
      (await replica.inject({ url: '/v1/tenants', headers: { cookie } })).statusCode;
    expect(await onReplica()).toBe(200);
    const headers = { cookie, origin: http.url };
    expect((await http.call('DELETE', '/console/session', { key: '', headers })).status).toBe(403);
    const ended = await http.call('DELETE', '/console/session', {
      key: '',
      headers: { ...headers, 'x-tallystick-csrf': csrf },
    });
    expect(ended.status).toBe(204);
    expect((await visit.read('/v1/tenants')).status).toBe(401);
    expect(await onReplica()).toBe(401);
    await replica.close();
  });

  test('decides at the desk as the person', async () => {
    const { key } = await http.service.keys.create({
      name: 'agent',
      scopes: ['events:write', 'approvals:request'],
      tenants: ['acme'],
      subject: 'service:refunds',
    });
    const document = {
      tenant_id: 'acme',
      action: 'refund',
      actor: { actor_type: 'agent', actor_id: 'bot' },
      arguments: { amount: 40 },
      policy: { name: 'p', version: '1' },
    } as const;
    const document_digest = documentDigest(document);
    const [id, intent_id] = [uuidv7(), uuidv7()];
    const intent = { audit_id: intent_id, event_type: 'agent.action.intended', context: { document_digest } };
    await http.ingest([event({ ...intent, actor_type: 'agent', actor_id: 'bot' })], key);
    await http.call('POST', '/v1/approvals', { key, body: { id, intent_id, document } });
    const visit = new Visit();
    await visit.signIn();
    const { csrf } = (await visit.read('/console/session')).json.session;
    const answer = await http.call('POST', `/v1/approvals/${id}/decision`, {
      key: '',
      headers: {
        cookie: `${sessionName()}=${visit.cookie(sessionName())}`,
        origin: http.url,
        'x-tallystick-csrf': csrf,
      },
      body: { verdict: 'grant', document_digest },
    });
    expect([answer.status, answer.json.state]).toEqual([200, 'granted']);
    expect(answer.text).toContain(`${provider.issuer}#maria`);
  });

  test('is refused to pages of other origins', async () => {
    const visit = new Visit();
    await visit.signIn();
    expect((await visit.read('/v1/tenants', { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('ends no later than the service says', async () => {
    const visit = new Visit();
    await visit.signIn();
    for (let minutes = 50; minutes < 12 * 60; minutes += 50) {
      shift = minutes * 60_000;
      expect((await visit.read('/v1/tenants')).status).toBe(200);
    }
    shift = 12 * 60 * 60_000 + 1_000;
    expect((await visit.read('/v1/tenants')).status).toBe(401);
  });
});

test('the sign-in page offers what is configured', async () => {
  const { sign_in } = (await http.call('GET', '/console/session', { key: '' })).json;
  expect(sign_in).toEqual({ key: true, login: { name: 'Example', href: 'login' } });
  const plain = createHttpApp(http.service, { logger: false });
  expect((await plain.inject('/console/session')).json().sign_in).toEqual({ key: true });
  expect((await plain.inject('/console/login')).json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' });
  await plain.close();
});

test('while the provider is away, people are told so, and keys go on to work', async () => {
  const visit = new Visit();
  const answer = await visit.toCallback();
  provider.isDown = true;
  expect(locationOf(await visit.get(answer))).toEqual(failed('away'));
  const other = createHttpApp(http.service, {
    logger: false,
    logins: loginsFor(`${http.url}/console/login/callback`),
  });
  expect((await other.inject('/console/login')).headers.location).toBe('./#login=away');
  provider.isDown = false;
  await other.close();
  const key = await http.key(['acme'], 'events:read');
  const signedIn = await http.call('POST', '/console/session', {
    key: '',
    body: { key },
    headers: { 'x-tallystick-console': '1' },
  });
  expect(signedIn.status).toBe(200);
});

test.each([
  'http://audit.example.com/console/login/callback',
  'https://audit.example.com/console/login',
  'https://audit.example.com/console/login/callback?x=1',
  'https://audit.example.com/console/login/callback#x',
  'https://user@audit.example.com/console/login/callback',
  'https://AUDIT.example.com/console/login/callback',
])('the address %s to come back to is refused at the start', (address) => {
  expect(() => loginsFor(address)).toThrow(/console\.redirect_uri/);
});

test('docs/console.md shows a file that the service reads', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../../../../docs/console.md'), 'utf8');
  const options = readLoginOptions(JSON.parse(/```json\n([^`]+)```/.exec(guide)![1]!));
  expect(options.console).toEqual({
    clientId: 'tallystick-console',
    clientSecret: undefined,
    redirectUri: 'https://audit.example.com/console/login/callback',
    name: 'Example Ltd',
    scope: 'openid',
    sessionSeconds: 43_200,
  });
});

test('over HTTPS the cookie of an attempt is of this host alone', async () => {
  const logins = loginsFor('https://audit.example.com/console/login/callback', { client_secret: 'hush' });
  const app = createHttpApp(http.service, { logger: false, logins });
  const { headers } = await app.inject('/console/login');
  expect(headers['set-cookie']).toMatch(
    /^__Host-tallystick-login-[0-9a-f]{8}=[\w.-]+; Expires=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
  const asked = new URL(String(headers.location));
  expect(asked.searchParams.get('redirect_uri')).toBe('https://audit.example.com/console/login/callback');
  expect(asked.href).not.toContain('hush');
  await app.close();
});

test('a confidential client sends its secret to the provider, which refuses another one and none', async () => {
  const statuses: unknown[] = [];
  for (const client_secret of ['the-secret-of-the-client', 'another-secret', undefined]) {
    const port = await freePort();
    const redirectUri = `http://127.0.0.1:${port}/console/login/callback`;
    await provider.register({ id: clientId, redirectUri, secret: 'the-secret-of-the-client' });
    const logins = loginsFor(redirectUri, client_secret === undefined ? {} : { client_secret });
    const server = await serveHttp(http.service, { port, now, logger: false, logins });
    try {
      statuses.push(locationOf(await new Visit(server.url).signIn('events')));
    } finally {
      await server.close();
    }
  }
  expect(statuses).toEqual([[303, '../events'], failed('refused'), failed('refused')]);
});
