import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, Harness } from './harness.ts';

let http: Harness;
let acme: string;
let globex: string;
let auditId: string;
let letterId: string;
beforeAll(async () => {
  http = await Harness.open();
  const scopes = ['events:write', 'events:read', 'log:read', 'approvals:decide', 'admin'] as const;
  acme = await http.key(['acme'], ...scopes);
  globex = await http.key(['globex'], ...scopes);
  const one = event();
  auditId = one.audit_id as string;
  await http.ingest([one, event()], acme);
  await http.ingest([event({ tenant_id: 'globex' })], globex);
  const refused = await http.call('POST', '/v1/audit/events', {
    key: acme,
    body: event({ severity: 'loud' }),
  });
  letterId = refused.json.dead_letter_id;
});
afterAll(() => http[Symbol.asyncDispose]());

/** Of no approval: whether it exists must not show. */
const approvalId = '019ca97b-f880-7000-8000-000000000002';

type Route = [method: string, path: string];
const ofTenant = (tenant: string): Route[] => [
  ['GET', `/v1/audit/events?tenant_id=${tenant}`],
  ['GET', `/v1/audit/events/${auditId}?tenant_id=${tenant}`],
  ['GET', `/v1/audit/events/stream?tenant_id=${tenant}`],
  ['GET', `/v1/audit/events/export?tenant_id=${tenant}`],
  ['GET', `/v1/audit/events/top?tenant_id=${tenant}&by=timestamp`],
  ['GET', `/v1/audit/stats?tenant_id=${tenant}&by=actor`],
  ['GET', `/v1/audit/timeline?tenant_id=${tenant}&trace_id=t`],
  ['GET', `/v1/audit/verify?tenant_id=${tenant}`],
  ['GET', `/v1/audit/verifications?tenant_id=${tenant}`],
  ['GET', `/v1/dead-letters?tenant_id=${tenant}`],
  ['GET', `/v1/audit/producers?tenant_id=${tenant}`],
  ['GET', `/v1/audit/open-intents?tenant_id=${tenant}`],
  ['GET', `/v1/logs/${tenant}/checkpoint`],
  ['GET', `/v1/logs/${tenant}/keys`],
  ['GET', `/v1/logs/${tenant}/proof/inclusion?index=0&size=1`],
  ['GET', `/v1/logs/${tenant}/proof/consistency?from=1&to=1`],
  ['GET', `/v1/logs/${tenant}/tile/0/000.p/1`],
  ['GET', `/v1/logs/${tenant}/receipt/${auditId}`],
  ['GET', `/v1/logs/${tenant}/bundle`],
  ['GET', `/v1/approvals?tenant_id=${tenant}`],
  ['GET', `/v1/approvals/${approvalId}?tenant_id=${tenant}`],
  ['GET', `/v1/approvals/${approvalId}/stream?tenant_id=${tenant}`],
];
const all = (): Route[] => [
  ...ofTenant('acme'),
  ['POST', '/v1/audit/events'],
  ['POST', '/v1/audit/events/batch'],
  ['GET', '/v1/tenants'],
  ['GET', `/v1/dead-letters/${letterId}`],
  ['POST', `/v1/dead-letters/${letterId}/retry`],
  ['DELETE', `/v1/dead-letters/${letterId}`],
  ['POST', '/v1/dead-letters/purge'],
  ['POST', '/v1/audit/producers/settle'],
  ['POST', '/v1/approvals'],
  ['POST', `/v1/approvals/${approvalId}/decision`],
  ['POST', `/v1/approvals/${approvalId}/claim`],
  ['POST', `/v1/approvals/${approvalId}/withdraw`],
  ['GET', '/v1/approval-rules'],
  ['POST', '/v1/approval-rules'],
  ['DELETE', '/v1/approval-rules?tenant_id=acme&action=pay'],
  ['POST', '/v1/operations'],
  ['POST', '/v1/operations/finish'],
  ['GET', '/v1/webhook-deliveries'],
  ['POST', '/v1/webhook-deliveries/retry'],
  ['GET', '/v1/api-keys'],
  ['POST', '/v1/api-keys'],
  ['DELETE', '/v1/api-keys/000000000000'],
  ['POST', '/v1/viewer-tokens'],
  ['GET', '/v1/viewer-tokens'],
  ['GET', '/v1/viewer-tokens/current'],
  ['DELETE', '/v1/viewer-tokens/0123456789abcdef'],
  ['GET', '/v1/blocked-subjects'],
  ['POST', '/v1/blocked-subjects'],
  ['DELETE', '/v1/blocked-subjects?subject=maria'],
  ['GET', '/v1/followers'],
  ['POST', '/v1/followers/open-intents'],
  ['GET', '/metrics'],
];

describe('every route', () => {
  it('is in the document that this list was made from', async () => {
    const { paths } = (await http.get('/openapi.json')).json;
    const documented = Object.values(paths as Record<string, Record<string, { security: unknown[] }>>)
      .flatMap((methods) => Object.values(methods))
      .filter(({ security }) => security.length > 0);
    expect(documented).toHaveLength(all().length);
  });

  it('wants a key, before it looks at anything else', async () => {
    for (const [method, path] of all()) {
      for (const authorization of [
        '',
        'Bearer ',
        `Bearer tally_000000000000_${'0'.repeat(64)}`,
        'Basic YTpi',
      ]) {
        const answer = await http.call(method, path, {
          key: '',
          headers: { ...(authorization !== '' && { authorization }) },
        });
        expect([path, answer.status, answer.json.code]).toEqual([path, 401, 'UNAUTHENTICATED']);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="tallystick"');
      }
    }
  });

  it('of the API refuses a parameter that it does not know, and so does nothing that its caller did not mean', async () => {
    const key = await http.key(undefined, 'admin', 'approvals:decide');
    for (const [method, path] of all().filter(([, path]) => path.startsWith('/v1/'))) {
      for (const name of ['dry_run', '__proto__', 'constructor', 'tenant_id[]']) {
        const unknown = `${path}${path.includes('?') ? '&' : '?'}${name}=true`;
        const answer = await http.call(method, unknown, { key });
        // This one is for viewer tokens alone.
        const expected = path === '/v1/viewer-tokens/current' ? 403 : 400;
        expect([unknown, answer.status]).toEqual([unknown, expected]);
        if (expected === 400) expect(answer.json.errors[0].pointer).toBe(`/${name}`);
      }
    }
    expect((await http.get(`/v1/dead-letters/${letterId}`)).json.state).toBe('open');
  });

  it("shows nothing of another tenant's, whether it exists or not", async () => {
    for (const tenant of ['acme', 'nobody']) {
      for (const [method, path] of ofTenant(tenant)) {
        const answer = await http.call(method, path, { key: globex });
        expect([path, answer.status, answer.json?.code]).toEqual([path, 403, 'FORBIDDEN']);
        expect(answer.text).not.toContain('ann');
      }
    }
  });

  it('gives 404 for ids of other tenants', async () => {
    expect((await http.get(`/v1/audit/events/${auditId}`, globex)).status).toBe(404);
    expect((await http.get(`/v1/audit/events/${auditId}`, acme)).status).toBe(200);
    expect((await http.get(`/v1/dead-letters/${letterId}`, globex)).status).toBe(404);
    expect((await http.call('POST', `/v1/dead-letters/${letterId}/retry`, { key: globex })).status).toBe(404);
    expect((await http.call('DELETE', `/v1/dead-letters/${letterId}`, { key: globex })).status).toBe(404);
  });

  it('lists only what is of the key', async () => {
    const tenants = async (key: string) =>
      (await http.get('/v1/tenants', key)).json.tenants.map((one: { tenant_id: string }) => one.tenant_id);
    expect(await tenants(acme)).toEqual(['acme']);
    expect(await tenants(globex)).toEqual(['globex']);
    // The chain of the service's own tenant has the records of the keys.
    expect(await tenants(http.admin)).toEqual(['acme', 'globex', 'tallystick']);
    const page = (await http.get('/v1/tenants?limit=1')).json;
    expect(page.tenants[0]).toMatchObject({ tenant_id: 'acme', epoch: 1 });
    const next = (await http.get(`/v1/tenants?limit=2&cursor=${page.next_cursor}`)).json;
    expect(next.tenants.map((one: { tenant_id: string }) => one.tenant_id)).toEqual(['globex', 'tallystick']);
    expect(next.next_cursor).toBeUndefined();
    expect((await http.get('/v1/dead-letters', globex)).json.dead_letters).toEqual([]);
    expect((await http.get('/v1/dead-letters', acme)).json.dead_letters).toHaveLength(1);
  });

  it('asks for the tenant only where the key has several', async () => {
    const two = await http.key(['acme', 'globex'], 'events:read');
    const unnamed = await http.get('/v1/audit/events', two);
    expect([unnamed.status, unnamed.json.code, unnamed.json.errors[0].pointer]).toEqual([
      400,
      'PARAMETER_INVALID',
      '/tenant_id',
    ]);
    expect((await http.get('/v1/audit/events?tenant_id=globex', two)).status).toBe(200);
    expect((await http.get('/v1/audit/events', acme)).status).toBe(200);
  });

  it('wants its scope', async () => {
    const write = await http.key(['acme'], 'events:write');
    for (const [method, path] of all().filter(([, path]) => !path.startsWith('/v1/audit/events/batch'))) {
      if (path === '/metrics' || (method === 'POST' && path === '/v1/audit/events')) continue;
      const answer = await http.call(method, path, { key: write });
      expect([path, answer.status, answer.json.code]).toEqual([path, 403, 'FORBIDDEN']);
    }
    const read = await http.key(['acme'], 'events:read');
    expect((await http.call('POST', '/v1/audit/events', { key: read, body: event() })).status).toBe(403);
    expect((await http.get('/v1/logs/acme/checkpoint', read)).status).toBe(403);
    expect((await http.get(`/v1/audit/events/${auditId}`, await http.key(['acme'], 'log:read'))).status).toBe(
      403,
    );
  });
});

describe('API keys', () => {
  const create = (body: object, key = http.admin) => http.call('POST', '/v1/api-keys', { key, body });

  it('are shown once, listed without secrets, and revoked at once', async () => {
    const made = await create({ name: 'ci', scopes: ['events:read'], tenants: ['acme'] });
    expect(made.status).toBe(201);
    const { id, key } = made.json;
    expect((await http.get('/v1/audit/events', key)).status).toBe(200);
    const listed = await http.get('/v1/api-keys');
    expect(listed.text).not.toContain(key.slice(-64));
    expect(listed.json.api_keys.find((one: { id: string }) => one.id === id)).toMatchObject({ name: 'ci' });
    expect((await http.call('DELETE', `/v1/api-keys/${id}`)).status).toBe(204);
    expect((await http.get('/v1/audit/events', key)).status).toBe(401);
    expect((await http.call('DELETE', '/v1/api-keys/000000000000')).status).toBe(404);
  });

  it('that have expired are refused', async () => {
    const { key } = (
      await create({ name: 'old', scopes: ['events:read'], expires_at: '2020-01-01T00:00:00Z' })
    ).json;
    expect((await http.get('/v1/audit/events', key)).status).toBe(401);
  });

  // An administrator of one tenant could otherwise have made itself a key for all.
  it('are not made or seen by an administrator of some tenants', async () => {
    expect((await create({ name: 'all', scopes: ['admin'] }, acme)).status).toBe(403);
    expect((await http.get('/v1/api-keys', acme)).status).toBe(403);
  });

  it.each<[string, object | string, number, string, string]>([
    ['no name', { scopes: ['admin'] }, 422, 'BODY_INVALID', '/name'],
    ['an unknown scope', { name: 'x', scopes: ['root'] }, 422, 'BODY_INVALID', '/scopes/0'],
    ['another member', { name: 'x', scopes: ['admin'], secret: 'y' }, 422, 'BODY_INVALID', '/secret'],
    [
      'an illegal tenant',
      { name: 'x', scopes: ['admin'], tenants: ['a/b'] },
      400,
      'PARAMETER_INVALID',
      '/tenants',
    ],
    ['duplicate members', '{"name":"x","name":"y","scopes":["admin"]}', 400, 'JSON_DUPLICATE_KEY', ''],
    ['no JSON', '{', 400, 'JSON_INVALID', ''],
  ])('are refused with %s', async (_, body, status, code, pointer) => {
    const answer = await http.call('POST', '/v1/api-keys', { body });
    expect([answer.status, answer.json.code, answer.json.errors[0].pointer]).toEqual([status, code, pointer]);
  });
});

describe('dead letters', () => {
  const refuse = async (fields: object, key = acme) =>
    (await http.call('POST', '/v1/audit/events', { key, body: event(fields) })).json.dead_letter_id as string;

  it('show their bytes to administrators alone', async () => {
    const read = await http.key(['acme'], 'events:read');
    const shown = (await http.get(`/v1/dead-letters/${letterId}`, read)).json;
    expect(shown).toMatchObject({ reason: 'FIELD_ENUM', pointer: '/severity', state: 'open', seen: 1 });
    expect(shown.raw_base64).toBeUndefined();
    expect((await http.get(`/v1/dead-letters/${letterId}`, acme)).json.raw_base64).toBeDefined();
  });

  it('are listed in pages, by state and by reason', async () => {
    const made: string[] = [];
    for (let at = 0; at < 5; at++) made.push(await refuse({ event_type: `audit.x${at}` }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (await http.get(`/v1/dead-letters?limit=2&reason=EVENT_TYPE_RESERVED${cursor}`, acme))
        .json;
      seen.push(...page.dead_letters.map((one: { id: string }) => one.id));
      cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(made);
    expect((await http.get('/v1/dead-letters?state=retried', acme)).json.dead_letters).toEqual([]);
    expect(
      (await http.get(`/v1/dead-letters?cursor=${Buffer.from('[1]').toString('base64url')}`)).status,
    ).toBe(400);
  });

  it('without a known tenant are visible only to a key for every tenant', async () => {
    const everywhere = await http.key(undefined, 'events:write');
    const answer = await http.call('POST', '/v1/audit/events', { key: everywhere, body: '{"tenant_id":1}' });
    const id = answer.json.dead_letter_id;
    expect((await http.get(`/v1/dead-letters/${id}`, acme)).status).toBe(404);
    expect((await http.get(`/v1/dead-letters/${id}`)).json.tenant_id).toBeNull();
  });

  it('that are refused again increment the count of the same dead letter', async () => {
    const id = await refuse({ severity: 'quiet' });
    const retried = await http.call('POST', `/v1/dead-letters/${id}/retry`, { key: acme });
    expect(retried.json).toMatchObject({
      status: 'rejected',
      error: { code: 'FIELD_ENUM', dead_letter_id: id },
    });
    expect((await http.get(`/v1/dead-letters/${id}`, acme)).json).toMatchObject({ state: 'open', seen: 2 });
  });

  it('that are admitted now are chained in the name of the original submitter, and settled', async () => {
    const writer = await http.key(['acme'], 'events:write');
    const id = await refuse({ severity: 'whispered', actor_id: 'zoe' }, writer);
    // Like after an upgrade to a version that admits what the earlier version refused.
    const raw = JSON.stringify(event({ actor_id: 'zoe' }));
    await http.service.database.query(
      { role: 'writer' },
      "update audit_dead_letters set raw = decode($2, 'hex') where id = $1::uuid",
      [id, Buffer.from(raw).toString('hex')],
    );
    const retried = await http.call('POST', `/v1/dead-letters/${id}/retry`, { key: acme });
    expect(retried.json.status).toBe('chained');
    const settled = (await http.get(`/v1/dead-letters/${id}`, acme)).json;
    expect(settled).toMatchObject({ state: 'retried', settled_by: expect.stringMatching(/^key:/) });
    const shown = (await http.get(`/v1/audit/events/${retried.json.receipt.audit_id}`, acme)).json;
    expect(shown.ingest.principal).toBe(settled.principal);
    expect(shown.ingest.principal).not.toBe(settled.settled_by);
    expect((await http.call('POST', `/v1/dead-letters/${id}/retry`, { key: acme })).json.status).toBe(
      'duplicate',
    );
  });

  it('that are purged lose their bytes and stay on record', async () => {
    const id = await refuse({ severity: 'purge me' });
    expect((await http.call('DELETE', `/v1/dead-letters/${id}`, { key: acme })).status).toBe(204);
    const shown = (await http.get(`/v1/dead-letters/${id}`, acme)).json;
    expect(shown).toMatchObject({ state: 'purged', bytes: 0, raw_base64: '' });
    const retried = await http.call('POST', `/v1/dead-letters/${id}/retry`, { key: acme });
    expect([retried.status, retried.json.code]).toEqual([400, 'PARAMETER_INVALID']);
  });
});
