import { afterAll, beforeAll, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let plain: string;
beforeAll(async () => {
  http = await Harness.open({ auditReads: true });
  const writer = await http.key(['acme'], 'events:write', 'events:read', 'events:read-sensitive');
  plain = await http.key(['acme'], 'events:read');
  const events = [
    event({ event_type: 'auth.login', actor_id: 'ann', timestamp: '2026-03-01T10:15:00.000Z' }),
    event({ event_type: 'auth.login', actor_id: 'bob', timestamp: '2026-03-01T23:15:00.000Z' }),
    event({ event_type: 'auth.logout', actor_id: 'ann', timestamp: '2026-03-02T00:00:00.000Z' }),
    event({
      event_type: 'auth.login',
      actor_id: 'ann',
      timestamp: '2026-03-02T10:15:00.000Z',
      is_sensitive: true,
    }),
  ];
  await http.ingest(events, writer);
}, 60_000);
afterAll(() => http[Symbol.asyncDispose]());

const stats = async (query: string, key = http.admin) =>
  await http.get(`/v1/audit/stats?tenant_id=acme&event_type=auth.*&${query}`, key);

it('counts what was written a moment ago, by several groupings', async () => {
  const { status, json } = await stats('by=type&by=actor,day');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    tenant_id: 'acme',
    records: 4,
    complete: true,
    time_zone: 'UTC',
    sensitive_left_out: false,
  });
  expect(json.groupings).toEqual([
    {
      by: ['event_type'],
      groups: [
        { values: { event_type: 'auth.login' }, records: 3 },
        { values: { event_type: 'auth.logout' }, records: 1 },
      ],
      groups_left_out: 0,
      records_left_out: 0,
    },
    {
      by: ['actor', 'day'],
      groups: [
        { values: { actor: 'user:ann', day: '2026-03-01T00:00:00Z' }, records: 1 },
        { values: { actor: 'user:ann', day: '2026-03-02T00:00:00Z' }, records: 2 },
        { values: { actor: 'user:bob', day: '2026-03-01T00:00:00Z' }, records: 1 },
      ],
      groups_left_out: 0,
      records_left_out: 0,
    },
  ]);
});

it('does not count sensitive events without the scope', async () => {
  expect((await stats('', plain)).json).toMatchObject({ records: 3, sensitive_left_out: true });
  expect((await stats('is_sensitive=true', plain)).json.records).toBe(0);
  expect((await stats('is_sensitive=true&sequence_from=0', plain)).json.records).toBe(0);
  expect((await stats('is_sensitive=true')).json.records).toBe(1);
});

it('shows the first groups, and says how many it left out', async () => {
  const { groupings } = (await stats('by=actor&limit=1')).json;
  expect(groupings).toMatchObject([{ groups: [{ records: 3 }], groups_left_out: 1, records_left_out: 1 }]);
});

it('counts nothing for a tenant without a chain, and begins none', async () => {
  const answer = await http.get('/v1/audit/stats?tenant_id=nobody&by=actor');
  expect([answer.status, answer.json.records]).toEqual([200, 0]);
  const { tenants } = (await http.get('/v1/tenants')).json;
  expect(tenants.map(({ tenant_id }: { tenant_id: string }) => tenant_id)).not.toContain('nobody');
});

it('records that the trail was read, and leaves that record out', async () => {
  const reads = await http.get('/v1/audit/stats?tenant_id=acme&event_type=audit.read');
  expect(reads.json.records).toBeGreaterThan(0);
  const all = await http.get('/v1/audit/stats?tenant_id=acme&by=type');
  expect(all.json.reads_left_out).toBe(true);
  expect(JSON.stringify(all.json)).not.toContain('audit.read');
  const included = await http.get('/v1/audit/stats?tenant_id=acme&by=type&include_reads=true');
  expect(included.json.reads_left_out).toBe(false);
  expect(JSON.stringify(included.json)).toContain('audit.read');
});

it.each([
  'by=target_id',
  'by=actor,type,day',
  'by=',
  'by=day&by=nothing',
  'limit=0',
  'limit=1001',
  'cursor=x',
  'from=yesterday',
])('refuses %s', async (query) => {
  const { status, json } = await stats(query);
  expect([status, json.code]).toEqual([400, 'PARAMETER_INVALID']);
});

it('refuses more than ten groupings', async () => {
  const by = Array.from({ length: 11 }, () => 'by=actor').join('&');
  expect((await stats(by)).status).toBe(400);
});

it('counts what a search finds, and goes on with the same search only', async () => {
  expect((await stats('q=ann&by=actor')).json).toMatchObject({
    records: 3,
    complete: true,
    groupings: [{ groups: [{ values: { actor: 'user:ann' }, records: 3 }] }],
  });
  expect((await stats('q=ann', plain)).json.records).toBe(2);
  expect((await stats('q=ann%20-logout')).json.records).toBe(2);
  const refused = await stats('q=colour%3Ared');
  expect([refused.status, refused.json.detail]).toEqual([400, expect.stringContaining('q, at character 1')]);
});
