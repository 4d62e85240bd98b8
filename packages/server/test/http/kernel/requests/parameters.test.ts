import { uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
  const events = ['acme', 'globex'].map((tenant_id) => event({ tenant_id }));
  const refused = [1, 2].map((number) => ({ ...event(), number }));
  const body = {
    events: [...events, ...refused],
    delivery: { producer_id: uuidv7(), sequences: [2, 4, 6, 8] },
  };
  expect((await http.call('POST', '/v1/audit/events/batch', { body })).status).toBe(207);
});
afterAll(() => http[Symbol.asyncDispose]());

// PostgreSQL refuses U+0000 in a text. Each of these requests was once answered with 500.
describe('U+0000', () => {
  it.each([
    '/v1/audit/events?tenant_id=acme&actor_id=%00',
    '/v1/audit/events?tenant_id=acme&resource_id=a%00b',
    '/v1/audit/events?tenant_id=acme&source_service=%00',
    '/v1/dead-letters?reason=%00',
    '/v1/dead-letters?topic=a%00',
    '/v1/dead-letters?tenant_id=acme%00',
    '/v1/tenants?cursor=%00',
    '/v1/tenants?%00=x',
    '/v1/dead-letters/%00',
  ])('is a mistake of the client in %s', async (path) => {
    const { status, json } = await http.get(path);
    expect([status, json.code]).toEqual([400, 'PARAMETER_INVALID']);
  });

  it.each([
    ['/v1/dead-letters/purge', { reason: 'a\0' }],
    ['/v1/dead-letters/purge', { topic: '\0' }],
    ['/v1/dead-letters/purge', { 'a\0': 1 }],
    ['/v1/dead-letters/purge', { reason: '\u{d800}' }],
    ['/v1/api-keys', { name: 'a\0', scopes: ['admin'] }],
    ['/v1/api-keys', { name: '\u{d800}', scopes: ['admin'] }],
    ['/v1/api-keys', { name: 'a', scopes: ['admin'], tenants: ['a\0'] }],
    ['/v1/audit/producers/settle', { silent_seconds: 60, reason: 'a\0' }],
  ])('is a mistake of the client in a body of %s: %j', async (path, body) => {
    const { status, json } = await http.call('POST', path, { body });
    expect([status, json.code]).toEqual([422, 'BODY_INVALID']);
  });
});

describe('a time', () => {
  // The calendar of PostgreSQL has no year 0000, and a key that expires then was once answered with 500.
  it.each(['0000-01-01T00:00:00Z', '2025-02-30T00:00:00Z', '10000-01-01T00:00:00Z'])(
    'must be in the years 0001 to 9999: %s',
    async (time) => {
      const list = await http.get(`/v1/audit/events?tenant_id=acme&ingested_from=${time}`);
      expect([list.status, list.json.code]).toEqual([400, 'PARAMETER_INVALID']);
      const created = await http.call('POST', '/v1/api-keys', {
        body: { name: 'a', scopes: ['admin'], expires_at: time },
      });
      expect([created.status, created.json.code]).toEqual([422, 'BODY_INVALID']);
    },
  );

  it.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z'])('may be %s', async (time) => {
    expect((await http.get(`/v1/audit/events?tenant_id=acme&ingested_from=${time}`)).status).toBe(200);
    const body = { name: 'a', scopes: ['admin'], expires_at: time };
    expect((await http.call('POST', '/v1/api-keys', { body })).status).toBe(201);
  });
});

describe('a forged cursor', () => {
  it.each([
    [
      '/v1/audit/events?tenant_id=acme&limit=1',
      [[], [1], [1, -1], [0, 1], [2 ** 31, 1], [1, 2 ** 53], ['1', '1'], [1, 1, 1]],
    ],
    [
      '/v1/dead-letters?limit=1',
      [
        [],
        ['9999-99-99T99:99:99.999999Z', uuidv7()],
        ['0000-01-01T00:00:00.000000Z', uuidv7()],
        ['2025-01-01T00:00:00.000000Z', '------------------------------------'],
        [1, 2],
      ],
    ],
    [
      '/v1/audit/producers?limit=1&all=true',
      [[], ['a', 'b', 'c'], ['a\0', uuidv7(), 'acme'], [1, 2, 3], [null, null, null]],
    ],
    ['/v1/tenants?limit=1', [[], ['a\0'], [1], [''], ['acme', 'acme']]],
  ] as const)('is a mistake of the client in %s', async (list, places) => {
    const { next_cursor } = (await http.get(list)).json;
    const [version, digest] = JSON.parse(Buffer.from(next_cursor, 'base64url').toString());
    expect((await http.get(`${list}&cursor=${next_cursor}`)).status).toBe(200);
    for (const place of places) {
      const forged = Buffer.from(JSON.stringify([version, digest, ...place])).toString('base64url');
      const { status, json } = await http.get(`${list}&cursor=${forged}`);
      expect([place, status, json.code]).toEqual([place, 400, 'PARAMETER_INVALID']);
    }
  });
});

describe('a JSON body', () => {
  it.each([
    ['nested too deep', `{"ids":${'['.repeat(9)}${']'.repeat(9)}}`],
    ['with too many values', `{"ids":[${'1,'.repeat(10_000)}1]}`],
  ])('%s is refused before it is parsed', async (_, body) => {
    const { status, json } = await http.call('POST', '/v1/dead-letters/purge', { body });
    expect([status, json.code]).toEqual([422, 'BODY_INVALID']);
  });
});
