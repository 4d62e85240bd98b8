import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { ManualClock } from '@tallystick/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { readLoginOptions } from '../../../src/access/logins/login-options.ts';
import { Logins } from '../../../src/access/logins/logins.ts';

const issuer = 'https://id.example.com';
const audience = 'tallystick';
const seconds = 1_000;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const jwkOf = (key: KeyObject, kid: string): JsonWebKey => ({
  ...key.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'RS256',
});

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token as an attacker may write it: header and claims are objects, or JSON text. */
function tokenOf(
  claims: object | string,
  header: object | string = { alg: 'RS256', kid: 'k1' },
  key = privateKey,
) {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

let clock: ManualClock;
let keys: readonly JsonWebKey[];
let requests: string[];
let discovery: object;
let isDown: boolean;
beforeEach(() => {
  clock = new ManualClock(Date.parse('2026-11-28T12:00:00Z'));
  keys = [jwkOf(publicKey, 'k1')];
  requests = [];
  discovery = { issuer, jwks_uri: `${issuer}/keys` };
  isDown = false;
});

const settings = {
  issuer,
  audience,
  tenants: { claim: 'tenants' },
  scopes: {
    claim: 'groups',
    grant: { auditors: ['events:read', 'log:read'], approvers: ['approvals:decide'] },
  },
} as const;

function open(more: object = {}) {
  return new Logins(readLoginOptions({ ...settings, ...more }), {
    now: () => clock.now(),
    fetch: async (url) => {
      requests.push(url);
      if (isDown) throw new TypeError('fetch failed');
      return Response.json(url.endsWith('/keys') ? { keys } : discovery);
    },
  });
}

const claims = (more: object = {}) => ({
  iss: issuer,
  aud: audience,
  sub: '248289761001',
  iat: clock.now() / seconds,
  exp: clock.now() / seconds + 600,
  tenants: ['acme'],
  groups: ['auditors'],
  ...more,
});

const refused = (reason: string) => ({
  code: 'UNAUTHENTICATED',
  message: expect.stringContaining(reason) as string,
});

describe('a token of the issuer', () => {
  test('names subject, tenants and scopes, and when the login expires', async () => {
    const logins = open({ groups: { claim: 'groups' } });
    expect(await logins.authenticate(tokenOf(claims()))).toEqual({
      id: 'login:https://id.example.com#248289761001',
      subject: 'https://id.example.com#248289761001',
      scopes: ['events:read', 'log:read'],
      tenants: ['acme'],
      groups: ['group:auditors'],
      expiresAt: clock.now() + 600 * seconds,
    });
    expect(requests).toEqual([`${issuer}/.well-known/openid-configuration`, `${issuer}/keys`]);
  });

  test('allows nothing by values that no rule lists, also where they are names of scopes', async () => {
    const groups = ['approvals:decide', 'admin', 'events:read', '*', '__proto__', 'constructor', 'Approvers'];
    expect(await open().authenticate(tokenOf(claims({ groups })))).toMatchObject({ scopes: [] });
    expect(await open().authenticate(tokenOf(claims({ groups: undefined })))).toMatchObject({ scopes: [] });
    const approver = await open().authenticate(tokenOf(claims({ groups: ['approvers'] })));
    expect(approver.scopes).toEqual(['approvals:decide']);
  });

  test('without tenants may use none, and no claim means every tenant', async () => {
    expect((await open().authenticate(tokenOf(claims({ tenants: undefined })))).tenants).toEqual([]);
    await expect(open().authenticate(tokenOf(claims({ tenants: ['*'] })))).rejects.toMatchObject(
      refused('tenant'),
    );
    const every = await open({ tenants: { every: true } }).authenticate(tokenOf(claims()));
    expect(every.tenants).toBeUndefined();
    const fixed = await open({ tenants: { only: ['a'] } }).authenticate(tokenOf(claims()));
    expect(fixed.tenants).toEqual(['a']);
  });

  test('may hold scopes in a text, or deeper in the claims', async () => {
    const text = open({ scopes: { ...settings.scopes, claim: 'scope' } });
    const spaced = tokenOf(claims({ scope: 'openid approvers' }));
    expect((await text.authenticate(spaced)).scopes).toEqual(['approvals:decide']);
    const deep = open({ scopes: { ...settings.scopes, claim: ['realm_access', 'roles'] } });
    const roles = tokenOf(claims({ realm_access: { roles: ['auditors'] } }));
    expect((await deep.authenticate(roles)).scopes).toEqual(['events:read', 'log:read']);
  });
});

describe('a token is refused', () => {
  const attack = (name: string, make: () => string, reason = '') => [name, make, reason] as const;
  test.each([
    attack('without a signature', () => `${part({ alg: 'none' })}.${part(claims())}.`, 'algorithm'),
    attack('with the algorithm NonE', () => `${part({ alg: 'NonE' })}.${part(claims())}.x`, 'algorithm'),
    attack(
      'with an HMAC of the public key',
      () => {
        const signed = `${part({ alg: 'HS256', kid: 'k1' })}.${part(claims())}`;
        const pem = publicKey.export({ type: 'spki', format: 'pem' });
        return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
      },
      'algorithm',
    ),
    attack('of another audience', () => tokenOf(claims({ aud: 'another' })), 'aud'),
    attack('without an audience', () => tokenOf(claims({ aud: undefined })), 'aud'),
    attack('of another issuer', () => tokenOf(claims({ iss: 'https://evil.example' })), 'iss'),
    attack('of an issuer with a slash more', () => tokenOf(claims({ iss: `${issuer}/` })), 'iss'),
    attack('that has expired', () => tokenOf(claims({ exp: clock.now() / seconds })), 'expired'),
    attack('that never expires', () => tokenOf(claims({ exp: undefined })), 'exp'),
    attack('that is valid for too long', () => tokenOf(claims({ exp: 1e11 })), 'longer'),
    attack('that is valid for ever', () =>
      tokenOf(JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e999')),
    ),
    attack('that is not valid yet', () => tokenOf(claims({ nbf: clock.now() / seconds + 60 })), 'nbf'),
    attack('of the future', () => tokenOf(claims({ iat: clock.now() / seconds + 60 })), 'future'),
    attack('without the time of issue', () => tokenOf(claims({ iat: undefined })), 'iat'),
    attack('without a subject', () => tokenOf(claims({ sub: undefined })), 'sub'),
    attack('whose subject is no text', () => tokenOf(claims({ sub: 7 })), 'sub'),
    attack('whose subject has a line break', () => tokenOf(claims({ sub: 'a\nb' })), 'sub'),
    attack('whose subject is too long', () => tokenOf(claims({ sub: 'x'.repeat(256) })), 'sub'),
    attack('whose scopes are an object', () => tokenOf(claims({ groups: { auditors: true } })), 'claim'),
    attack(
      'with a repeated claim',
      () => tokenOf(`${JSON.stringify(claims()).slice(0, -1)},"sub":"eve"}`),
      'part',
    ),
    attack(
      'with a repeated member of the header',
      () => tokenOf(claims(), '{"alg":"none","alg":"RS256"}'),
      'part',
    ),
    attack('whose claims are a list', () => tokenOf([claims()]), 'object'),
    attack(
      'whose claims are nested too deeply',
      () => tokenOf(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`),
      'part',
    ),
    attack('with a key in its header', () => {
      const own = generateKeyPairSync('rsa', { modulusLength: 2_048 });
      const header = { alg: 'RS256', kid: 'k1', jwk: jwkOf(own.publicKey, 'k1') };
      return tokenOf(claims(), header, own.privateKey);
    }),
    attack('with a critical extension', () =>
      tokenOf(claims(), { alg: 'RS256', kid: 'k1', crit: ['x'], x: 1 }),
    ),
    attack(
      'that is a logout token',
      () => tokenOf(claims(), { alg: 'RS256', kid: 'k1', typ: 'logout+jwt' }),
      'typ',
    ),
    attack('that is a security event', () => tokenOf(claims({ events: {} })), 'event'),
    attack(
      'of another algorithm of the key',
      () => tokenOf(claims(), { alg: 'RS512', kid: 'k1' }),
      'algorithm',
    ),
    attack('that is huge', () => tokenOf(claims({ more: 'x'.repeat(9_000) })), 'characters'),
    attack('that was changed', () => {
      const [head, , signature] = tokenOf(claims()).split('.');
      return `${head}.${part(claims({ groups: ['approvers'] }))}.${signature}`;
    }),
  ])('%s', async (_, make, reason) => {
    await expect(open().authenticate(make())).rejects.toMatchObject(refused(reason));
  });

  test.each(['../../etc/passwd', "' or 1=1 --", 'https://evil.example/keys', '__proto__', 'x'.repeat(513)])(
    'with the key id %s, and no other address is asked',
    async (kid) => {
      const evil = { alg: 'RS256', kid, jku: 'https://evil.example/keys', x5u: 'https://evil.example/crt' };
      await expect(open().authenticate(tokenOf(claims(), evil))).rejects.toMatchObject(refused(''));
      expect(requests.every((url) => url.startsWith(`${issuer}/`))).toBe(true);
    },
  );
});

describe('clocks', () => {
  test('may differ by the tolerance, which makes no token live longer', async () => {
    const logins = open({ clock_tolerance_seconds: 30 });
    const ahead = clock.now() / seconds + 30;
    await logins.authenticate(tokenOf(claims({ iat: ahead, nbf: ahead })));
    const token = tokenOf(claims({ exp: clock.now() / seconds + 1 }));
    await logins.authenticate(token);
    clock.advance(seconds);
    await expect(logins.authenticate(token)).rejects.toMatchObject(refused('expired'));
  });
});

describe('the keys of the issuer', () => {
  const next = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const rotated = () => tokenOf(claims(), { alg: 'RS256', kid: 'k2' }, next.privateKey);

  test('are read again when a token names a new one', async () => {
    const logins = open();
    await logins.authenticate(tokenOf(claims()));
    clock.advance(10 * seconds);
    keys = [jwkOf(next.publicKey, 'k2')];
    expect(await logins.authenticate(rotated())).toMatchObject({ tenants: ['acme'] });
    await expect(logins.authenticate(tokenOf(claims()))).rejects.toMatchObject(refused('no such key'));
  });

  test('are not read again for each of a thousand unknown ones', async () => {
    const logins = open();
    await logins.authenticate(tokenOf(claims()));
    clock.advance(10 * seconds);
    const tokens = Array.from({ length: 1_000 }, (_, index) =>
      logins.authenticate(tokenOf(claims(), { alg: 'RS256', kid: `unknown-${index}` })),
    );
    expect((await Promise.allSettled(tokens)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(requests).toHaveLength(4);
  });

  test('go on to work while the issuer is down, and new ones wait for it', async () => {
    const logins = open();
    await logins.authenticate(tokenOf(claims()));
    isDown = true;
    clock.advance(60 * 60 * seconds);
    await logins.authenticate(tokenOf(claims()));
    await expect(logins.authenticate(rotated())).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    const before = requests.length;
    await expect(logins.authenticate(rotated())).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    expect(requests).toHaveLength(before);
    isDown = false;
    keys = [jwkOf(publicKey, 'k1'), jwkOf(next.publicKey, 'k2')];
    clock.advance(10 * seconds);
    await logins.authenticate(rotated());
  });

  test('are read after the clock was set back', async () => {
    const logins = open();
    clock.advance(3_600 * seconds);
    await logins.authenticate(tokenOf(claims()));
    clock = new ManualClock(clock.now() - 3_600 * seconds);
    keys = [jwkOf(next.publicKey, 'k2')];
    await logins.authenticate(rotated());
  });

  test('are used for a day without the issuer, and not longer', async () => {
    const logins = open();
    await logins.authenticate(tokenOf(claims()));
    isDown = true;
    clock.advance(24 * 60 * 60 * seconds);
    await expect(logins.authenticate(tokenOf(claims()))).rejects.toMatchObject({
      code: 'ISSUER_UNAVAILABLE',
    });
  });

  test('are refused from a document of another issuer, and from an address without TLS', async () => {
    discovery = { issuer: 'https://evil.example', jwks_uri: `${issuer}/keys` };
    await expect(open().authenticate(tokenOf(claims()))).rejects.toMatchObject({
      code: 'ISSUER_UNAVAILABLE',
      cause: { message: expect.stringContaining('another issuer') },
    });
    discovery = { issuer, jwks_uri: 'http://id.example.com/keys' };
    await expect(open().authenticate(tokenOf(claims()))).rejects.toMatchObject({
      code: 'ISSUER_UNAVAILABLE',
    });
    expect(requests.filter((url) => url.endsWith('/keys'))).toEqual([]);
  });

  test('that could sign are no keys for checking', async () => {
    keys = [jwkOf(privateKey, 'k1')];
    await expect(open().authenticate(tokenOf(claims()))).rejects.toMatchObject(refused(''));
    keys = [{ kty: 'oct', k: part('secret'), kid: 'k1' }];
    await expect(open().authenticate(tokenOf(claims()))).rejects.toMatchObject(refused('no such key'));
  });
});

describe('options', () => {
  test.each([
    [{ algorithms: ['none'] }, 'algorithms'],
    [{ algorithms: ['HS256'] }, 'algorithms'],
    [{ algorithms: [] }, 'algorithms'],
    [{ issuer: 'http://id.example.com' }, 'issuer'],
    [{ issuer: 'https://id.example.com#x' }, 'issuer'],
    [{ issuer: 'https://id.example.com?x' }, 'issuer'],
    [{ issuer: 'id.example.com' }, 'issuer'],
    [{ jwks_uri: 'file:///etc/passwd' }, 'jwks_uri'],
    [{ audience: undefined }, 'audience'],
    [{ tenants: undefined }, 'tenants'],
    [{ scopes: { claim: 'scope', grant: { all: ['*'] } } }, 'scopes'],
    [{ scope: 'misspelt' }, 'scope'],
  ])('%j are refused', (more, place) => {
    expect(() => readLoginOptions({ ...settings, ...more })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(place) }),
    );
  });
});
