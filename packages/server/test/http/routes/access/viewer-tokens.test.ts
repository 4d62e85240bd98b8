import { until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxLiveTokens } from '../../../../src/access/viewer-tokens/viewer-tokens.ts';
import { encodeCursor } from '../../../../src/trail/cursor.ts';
import { type Answer, event, Harness } from '../../harness.ts';

let now = Date.now();
let http: Harness;
/** A customer's backend. */
let backend: string;
/** Events that a token for maria shows, the oldest first, and others. */
let shown: string[];
let hidden: { [why: string]: string };
beforeAll(async () => {
  http = await Harness.open({ auditReads: true, now: () => now, service: { now: () => now } });
  backend = await http.key(['acme'], 'viewer-tokens:issue', 'events:read', 'log:read');
  const writer = await http.key(['acme', 'globex'], 'events:write');
  const about = (customer: string, note: string) => ({
    actor_id: 'maria',
    investigation_id: 'inv',
    metadata: { customer, note },
  });
  const mine = [
    event(about('4711', 'visible')),
    event({ ...about('4711', 'visible'), event_type: 'billing.paid' }),
  ];
  const other = {
    actor: event({ ...about('4711', 'secretword'), actor_id: 'bob' }),
    sensitive: event({ ...about('4711', 'secretword'), is_sensitive: true }),
    customer: event(about('4712', 'secretword')),
  };
  await http.ingest([mine[0]!, ...Object.values(other), mine[1]!], writer);
  await http.ingest([event({ tenant_id: 'globex', actor_id: 'maria' })], writer);
  shown = mine.map(({ audit_id }) => audit_id as string);
  hidden = Object.fromEntries(Object.entries(other).map(([why, { audit_id }]) => [why, audit_id as string]));
  // A service record of the tenant's chain.
  const reader = await http.key(['acme'], 'events:read');
  await http.get('/v1/audit/events', reader);
});
afterAll(() => http[Symbol.asyncDispose]());

const mariasFilters = { actor: 'maria', 'metadata.customer': ['4711'] };
const make = (body: object = {}, key = backend) => http.call('POST', '/v1/viewer-tokens', { key, body });
const tokenOf = async (body: object = {}): Promise<string> => {
  const made = await make({ filters: mariasFilters, ...body });
  expect(made.status).toBe(201);
  return made.json.token;
};
const idsOf = ({ json }: Answer): string[] =>
  json.events.map(({ audit_id }: { audit_id: string }) => audit_id);
/** Of the records that the token must not show, what an answer could give away. */
function expectNothingHidden({ text }: Answer): void {
  for (const id of Object.values(hidden)) expect(text).not.toContain(id);
  for (const word of ['secretword', 'bob', '4712', 'audit.read', 'globex']) expect(text).not.toContain(word);
}

describe('the filters of a token', () => {
  it('bind every route that it may call, whatever the request asks for', async () => {
    const token = await tokenOf();
    const all = await http.get('/v1/audit/events', token);
    expect(idsOf(all)).toEqual([...shown].reverse());
    expectNothingHidden(all);
    const narrowed = [
      ['actor=maria', 2],
      ['event_type=billing.*', 1],
      ['not.event_type=billing.*', 1],
      ['q=visible', 2],
      ['include_reads=true', 2],
      ['metadata.customer=4711&metadata.customer=4712', 2],
      ['actor=bob', 0],
      ['actor=maria&actor=bob', 2],
      ['not.actor=maria', 0],
      ['metadata.customer=4712', 0],
      ['event_type=audit.*', 0],
      ['event_type=audit.read&include_reads=true', 0],
      ['event_type=system.genesis', 0],
      ['is_sensitive=true', 0],
      ['q=secretword', 0],
      ['q=-visible', 0],
      ['sequence_from=0&order=asc', 2],
    ] as const;
    for (const [query, count] of narrowed) {
      for (const path of [`/v1/audit/events?${query}`, `/v1/audit/events?include=record&${query}`]) {
        const answer = await http.get(path, token);
        expectNothingHidden(answer);
        expect([query, idsOf(answer).length]).toEqual([query, count]);
      }
      if (query.includes('order')) continue;
      const stats = (await http.get(`/v1/audit/stats?by=actor&by=event_type&${query}`, token)).json;
      expect([query, stats.records]).toEqual([query, count]);
      expect(JSON.stringify(stats)).not.toMatch(/bob|audit\.read/);
      const lines = await http.get(`/v1/audit/events/export?format=jsonl&${query}`, token);
      expectNothingHidden(lines);
      expect([query, lines.text.split('\n').filter((line) => line !== '').length]).toEqual([query, count]);
    }
    const timeline = await http.get('/v1/audit/timeline?investigation_id=inv', token);
    expect(timeline.text).toContain(shown[0]);
    expectNothingHidden(timeline);
  });

  it('bind what a request names by its id or its place, and the answer is that to an id that does not exist', async () => {
    const token = await tokenOf();
    const absent = await http.get('/v1/audit/events/019ca97b-f880-7000-8000-000000000002', token);
    const placeOf = async (id: string) =>
      (await http.get(`/v1/audit/events/${id}?tenant_id=acme`)).json.sequence_number;
    for (const id of shown) {
      expect((await http.get(`/v1/audit/events/${id}`, token)).json.audit_id).toBe(id);
      expect((await http.get(`/v1/logs/acme/receipt/${id}`, token)).status).toBe(200);
      const index = await placeOf(id);
      const proof = await http.get(`/v1/logs/acme/proof/inclusion?index=${index}&size=6`, token);
      expect([index, proof.status]).toEqual([index, 200]);
    }
    for (const id of Object.values(hidden)) {
      const index = await placeOf(id);
      for (const path of [
        `/v1/audit/events/${id}`,
        `/v1/audit/events/${id}?include=record`,
        `/v1/logs/acme/receipt/${id}`,
        `/v1/logs/acme/proof/inclusion?index=${index}&size=6`,
      ]) {
        const answer = await http.get(path, token);
        expect([path, answer.status, answer.json.detail]).toEqual([path, 404, absent.json.detail]);
      }
    }
    for (const path of ['/v1/audit/events?tenant_id=globex', '/v1/logs/globex/checkpoint'])
      expect((await http.get(path, token)).status).toBe(403);
  });

  it('bind a page that goes on from the cursor of another token, or from a cursor of an API key', async () => {
    const everything = (await http.get('/v1/audit/events?tenant_id=acme&limit=1')).json.next_cursor;
    const others = await tokenOf({ filters: { actor: 'bob' } });
    await http.ingest([event({ actor_id: 'bob' })], await http.key(['acme'], 'events:write'));
    const ofBob = (await http.get('/v1/audit/events?limit=1', others)).json.next_cursor;
    const token = await tokenOf();
    for (const cursor of [everything, ofBob]) {
      const answer = await http.get(`/v1/audit/events?limit=1&cursor=${cursor}`, token);
      expect([answer.status, answer.json.code]).toEqual([400, 'PARAMETER_INVALID']);
    }
    // A cursor is not secret, and a client can write one: it is a place, and shows nothing.
    const own = (await http.get('/v1/audit/events?limit=1', token)).json.next_cursor;
    const [version, digest] = JSON.parse(Buffer.from(own, 'base64url').toString());
    for (let sequence = 0; sequence < 9; sequence++) {
      const forged = Buffer.from(JSON.stringify([version, digest, 1, sequence])).toString('base64url');
      expectNothingHidden(await http.get(`/v1/audit/events?limit=1&cursor=${forged}`, token));
    }
    const again = await http.get(`/v1/audit/events?limit=1&cursor=${own}`, await tokenOf());
    expect(idsOf(again)).toEqual([shown[0]]);
  });

  it('bind a stream, which ends within a second when the token is revoked', async () => {
    const made = (await make({ filters: mariasFilters })).json;
    const headers = { authorization: `Bearer ${made.token}` };
    const stream = await fetch(`${http.url}/v1/audit/events/stream?sequence_from=0`, { headers });
    let text = '';
    const reading = (async () => {
      for await (const part of stream.body!.pipeThrough(new TextDecoderStream())) text += part;
    })();
    await until(() => shown.every((id) => text.includes(id)));
    expectNothingHidden({ text } as Answer);
    expect((await http.call('DELETE', `/v1/viewer-tokens/${made.id}`, { key: backend })).status).toBe(204);
    await reading;
    expect((await http.get('/v1/audit/events', made.token)).status).toBe(401);
  });

  it.each<[string, object]>([
    ['a list without a value, which would be no filter', { actor: [] }],
    ['an unknown name', { actr: 'maria' }],
    ['a name of every object', JSON.parse('{"__proto__": "maria"}')],
    ['a range of times', { from: '2020-01-01T00:00:00Z' }],
    ['a range of places', { sequence_from: '3' }],
    ['a search', { q: 'maria' }],
    ['an empty text', { actor: '' }],
    ['a value of another kind', { severity: 'loud' }],
    ['a member without a path', { 'metadata.': 'x' }],
    ['the tenant', { tenant_id: 'globex' }],
    ['too many', Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`metadata.m${at}`, 'x']))],
  ])('are refused with %s', async (_, filters) => {
    const answer = await make({ filters });
    expect([400, 422]).toContain(answer.status);
  });

  it('are refused by a replica that does not know one of them', async () => {
    const made = (await make({ filters: mariasFilters })).json;
    const parse = async (filters: object) => {
      await http.tamper(
        `update audit_viewer_tokens set filters = '${JSON.stringify(filters)}' where id = '${made.id}'`,
      );
      return (await http.get('/v1/audit/events', made.token)).status;
    };
    // The HMAC of the row does not admit a wider filter, and none that is added later.
    expect(await parse({})).toBe(401);
    expect(await parse({ actor: ['maria'], new_filter: ['x'] })).toBe(401);
  });
});

describe('a viewer token', () => {
  const allowed = [
    'GET /v1/audit/events',
    'GET /v1/audit/events/{audit_id}',
    'GET /v1/audit/events/export',
    'GET /v1/audit/stats',
    'GET /v1/audit/timeline',
    'GET /v1/audit/events/stream',
    'GET /v1/logs/{tenant_id}/checkpoint',
    'GET /v1/logs/{tenant_id}/keys',
    'GET /v1/logs/{tenant_id}/proof/inclusion',
    'GET /v1/logs/{tenant_id}/proof/consistency',
    'GET /v1/logs/{tenant_id}/receipt/{audit_id}',
    'GET /v1/viewer-tokens/current',
  ];

  it('is refused by every other route, and by every one that changes something', async () => {
    const token = await tokenOf();
    const { paths } = (await http.get('/openapi.json')).json as {
      paths: Record<string, Record<string, { security: unknown[]; description?: string }>>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        ...operation,
      })),
    );
    const refusing = routes.filter(({ name, security }) => security.length > 0 && !allowed.includes(name));
    expect(
      routes.filter(({ description }) => description?.includes('A viewer token may call it')).length,
    ).toBe(allowed.length);
    for (const { name } of refusing) {
      const [method, path] = name.split(' ') as [string, string];
      const named = path
        .replace('{tenant_id}', 'acme')
        .replace('{tile}', '0/000.p/1')
        .replace('{audit_id}', shown[0]!)
        .replaceAll(/\{\w+\}/g, '0123456789abcdef');
      const answer = await http.call(method, named, { key: token });
      expect([name, answer.status, answer.json.code]).toEqual([name, 403, 'FORBIDDEN']);
    }
    expect(refusing.length).toBeGreaterThan(30);
    const signIn = await http.call('POST', '/console/session', {
      key: '',
      body: { key: token },
      headers: { 'x-tallystick-console': '1' },
    });
    expect(signIn.status).toBe(401);
  });

  it('shows no ingest details unless it is made for them, and withholds the bytes of records if it is made so', async () => {
    const path = `/v1/audit/events/${shown[0]}?include=record`;
    const standard = (await http.get(path, await tokenOf())).json;
    expect(standard.ingest).toBeUndefined();
    // A list keeps the texts of views: those that a reader with an API key got are not for this one.
    await http.get('/v1/audit/events?tenant_id=acme');
    const listed = (await http.get('/v1/audit/events', await tokenOf())).json.events;
    expect(listed.map(({ ingest }: { ingest?: object }) => ingest)).toEqual([undefined, undefined]);
    expect(JSON.parse(standard.record).ingest.principal).toMatch(/^key:/);
    const detailed = (await http.get(path, await tokenOf({ include_ingest: true }))).json;
    expect(detailed.ingest.principal).toMatch(/^key:/);
    const withheld = await tokenOf({ include_records: false });
    for (const path of ['/v1/audit/events?verify=true', '/v1/audit/events/export?evidence=true']) {
      const refused = await http.get(path, withheld);
      expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
      const proven = await http.get(path, await tokenOf());
      expect([proven.status, proven.text]).toEqual([200, expect.stringContaining('4711')]);
      expectNothingHidden(proven);
    }
    const bare = (await http.get(path, withheld)).json;
    expect([bare.record, bare.ingest, bare.record_hash]).toEqual([
      undefined,
      undefined,
      standard.record_hash,
    ]);
    expect((await http.get(`/v1/logs/acme/receipt/${shown[0]}`, withheld)).text).not.toContain('extra');
    expect((await http.get('/v1/audit/events/export?format=csv', withheld)).text).not.toContain('key:');
  });

  it('works for fifteen minutes by default, for an hour at most, and knows its end', async () => {
    const made = (await make()).json;
    expect(Date.parse(made.expires_at) - now).toBe(15 * 60_000);
    const state = (await http.get('/v1/viewer-tokens/current', made.token)).json;
    expect(state).toEqual({
      tenant_id: 'acme',
      include_records: true,
      include_ingest: false,
      expires_at: made.expires_at,
    });
    expect((await http.get('/v1/viewer-tokens/current', backend)).status).toBe(403);
    for (const expires_in of [59, 3_601, 0, -1, 1.5, '900', null])
      expect((await make({ expires_in })).status).toBe(422);
    const start = now;
    now += 15 * 60_000;
    expect((await http.get('/v1/audit/events', made.token)).status).toBe(401);
    now = start;
  });

  it('ends with the API key that made it, on this replica at once', async () => {
    const { id, key } = await http.service.keys.create({
      name: 'backend',
      scopes: ['viewer-tokens:issue', 'events:read', 'log:read'],
      tenants: ['acme'],
    });
    const { token } = (await make({}, key)).json;
    expect((await http.get('/v1/audit/events', token)).status).toBe(200);
    // Another replica revoked the key: this one still has it in its cache.
    await http.tamper(`update audit_api_keys set revoked_at = now() where id = '${id}'`);
    expect((await http.get('/v1/audit/events', token)).status).toBe(401);
    expect((await make({}, key)).status).toBe(401);
  });

  it('is made with an API key that may do all that the token may', async () => {
    for (const scopes of [
      ['viewer-tokens:issue', 'events:read'],
      ['events:read', 'log:read'],
    ] as const)
      expect((await make({}, await http.key(['acme'], ...scopes))).status).toBe(403);
    expect((await make({ tenant_id: 'globex' })).status).toBe(403);
    expect((await make({}, await tokenOf())).status).toBe(403);
    expect((await make({ tenant_id: 'globex' }, http.admin)).status).toBe(201);
    expect((await make({}, http.admin)).json.errors[0].pointer).toBe('/tenant_id');
  });

  it('can not be guessed, and not be made by a login of the database', async () => {
    const made = (await make({ filters: mariasFilters })).json;
    const forged = [
      `tally_view_${made.id}_${'0'.repeat(64)}`,
      `${made.token}0`,
      'tally_view_',
      made.token.toUpperCase(),
    ];
    for (const token of forged) expect((await http.get('/v1/audit/events', token)).status).toBe(401);
    for (const change of [
      "tenant_id = 'globex'",
      'include_ingest = true',
      "expires_at = expires_at + interval '1 day'",
    ]) {
      const { id, token } = (await make({ filters: mariasFilters })).json;
      await http.tamper(`update audit_viewer_tokens set ${change} where id = '${id}'`);
      expect([change, (await http.get('/v1/audit/events', token)).status]).toEqual([change, 401]);
    }
  });

  it('is listed without its secret, and its making and revocation are on record', async () => {
    now += 1;
    const made = (await make({ filters: { 'not.severity': ['info'] }, tenant_id: 'acme' })).json;
    const page = await http.get('/v1/viewer-tokens?limit=1', backend);
    expect(page.text).not.toContain(made.token.slice(-64));
    const { token: _, ...info } = made;
    expect(page.json.viewer_tokens).toEqual([info]);
    expect(info.filters).toEqual({ 'not.severity': ['info'] });
    const next = await http.get(`/v1/viewer-tokens?limit=1&cursor=${page.json.next_cursor}`, backend);
    expect(next.json.viewer_tokens[0].id).not.toBe(made.id);
    const stranger = await http.key(['globex'], 'viewer-tokens:issue', 'events:read', 'log:read');
    const ofGlobex = (await http.get('/v1/viewer-tokens', stranger)).json.viewer_tokens;
    expect(ofGlobex.every(({ tenant_id }: { tenant_id: string }) => tenant_id === 'globex')).toBe(true);
    const path = `/v1/viewer-tokens/${made.id}`;
    expect((await http.call('DELETE', path, { key: stranger })).status).toBe(404);
    expect((await http.call('DELETE', path, { key: backend })).status).toBe(204);
    expect((await http.call('DELETE', path, { key: backend })).status).toBe(404);
    const records = (await http.get(`/v1/audit/events?tenant_id=tallystick&target_id=${made.id}&order=asc`))
      .json.events;
    expect(records.map(({ event_type }: { event_type: string }) => event_type)).toEqual([
      'audit.viewer_token_issued',
      'audit.viewer_token_revoked',
    ]);
    expect(records[0]).toMatchObject({
      actor_id: made.issued_by,
      metadata: { tenant: 'acme', filters: info.filters, expires_at: made.expires_at },
    });
    expect(JSON.stringify(records)).not.toContain(made.token.slice(-64));
  });

  // One row whose text was edited in the database made each list of its tenant answer 500.
  it('that somebody has edited in the database hides no other token of the list', async () => {
    const key = await http.key(['edited'], 'viewer-tokens:issue', 'events:read', 'log:read');
    const changes = [
      "filters = '{'",
      "filters = 'null'",
      'filters = \'{"colour":"red"}\'',
      "expires_at = 'infinity'",
      "created_at = '-infinity'",
      "created_at = '0044-03-15 BC'",
    ];
    const good = [(await make({}, key)).json.id];
    for (const change of changes) {
      const { id } = (await make({}, key)).json;
      await http.tamper(`update audit_viewer_tokens set ${change} where id = '${id}'`);
    }
    good.push((await make({}, key)).json.id);
    const listed: string[] = [];
    for (let cursor = '', pages = 0; pages < 10; pages++) {
      const page = await http.get(`/v1/viewer-tokens?limit=2${cursor}`, key);
      expect(page.status, page.text).toBe(200);
      listed.push(...page.json.viewer_tokens.map(({ id }: { id: string }) => id));
      if (page.json.next_cursor === undefined) break;
      cursor = `&cursor=${page.json.next_cursor}`;
    }
    expect(listed.sort()).toEqual(good.sort());
  });

  // The cap was only looked at before a token was made: parallel requests all saw that there was room.
  it('is not made beyond the cap of its key, also by parallel requests', async () => {
    const { key, id } = await http.service.keys.create({
      name: 'busy',
      scopes: ['viewer-tokens:issue', 'events:read', 'log:read'],
      tenants: ['acme'],
    });
    await http.tamper(
      `insert into audit_viewer_tokens
       select lpad(to_hex(n), 16, '0'), '\\x00', '${id}', 'acme', '{}', true, true, now() - interval '1 day', now() + interval '1 day'
         from generate_series(1, ${maxLiveTokens - 2}) n`,
    );
    const made = await Promise.all(Array.from({ length: 6 }, () => make({}, key)));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429, 429, 429]);
    const refused = made.find(({ status }) => status === 429)!;
    expect([refused.json.code, refused.headers.get('retry-after')]).toEqual(['RATE_LIMITED', '60']);
    await http.tamper(`delete from audit_viewer_tokens where key_id = '${id}'`);
  });

  // The database refuses the year 0, which the check of the cursor let through: the answer was INTERNAL_ERROR.
  it('is refused a cursor with a time that the store can not have', async () => {
    for (const time of ['0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', 'infinity']) {
      const cursor = encodeCursor(['viewer-tokens', ['acme']], [time, '0'.repeat(16)]);
      const answer = await http.get(`/v1/viewer-tokens?cursor=${cursor}`, backend);
      expect([time, answer.status, answer.json.code]).toEqual([time, 400, 'PARAMETER_INVALID']);
    }
  });

  it('makes the service sign no checkpoint, and can not fill the chain with records of its exports', async () => {
    const token = await tokenOf();
    const newest = await http.get('/v1/logs/acme/checkpoint', token);
    const fresh = await http.get('/v1/logs/acme/checkpoint?fresh=true', token);
    expect([fresh.status, fresh.json.code]).toEqual([403, 'FORBIDDEN']);
    expect((await http.get('/v1/logs/acme/checkpoint?fresh=false', token)).text).toBe(newest.text);
    const exported = async () => await http.get('/v1/audit/events/export?format=jsonl', token);
    const statuses: number[] = [];
    for (let at = 0; at < 31; at++) statuses.push((await exported()).status);
    expect(statuses).toEqual([...Array(30).fill(200), 429]);
    const refused = await exported();
    expect([refused.json.code, refused.headers.get('retry-after')]).toEqual(['RATE_LIMITED', '6']);
    now += 6_000;
    expect((await exported()).status).toBe(200);
    // Keys of operators and other tokens are not affected.
    expect((await http.get('/v1/audit/events/export?tenant_id=acme&format=jsonl')).status).toBe(200);
    expect((await http.get('/v1/audit/events/export', await tokenOf())).status).toBe(200);
  });

  it('is named by the record of what it reads', async () => {
    const made = (await make({ filters: mariasFilters })).json;
    await http.get('/v1/audit/events', made.token);
    const reads = (await http.get('/v1/audit/events?tenant_id=acme&event_type=audit.read')).json.events;
    expect(reads.map(({ actor_id }: { actor_id: string }) => actor_id)).toContain(`viewer:${made.id}`);
  });
});
