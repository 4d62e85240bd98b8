import { until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
const deadline = new Date(Date.now() + 3_600_000).toISOString();
const intent = (fields: object = {}) =>
  event({
    event_type: 'agent.action.intended',
    actor_type: 'agent',
    actor_id: 'bot',
    context: { action: 'refund', deadline },
    ...fields,
  });
const overdue = (fields: object = {}): Record<string, unknown> => {
  const made = intent(fields);
  return { ...made, context: { action: 'refund', deadline: made.timestamp } };
};
const open = [intent(), intent({ actor_id: 'other-bot', context: { action: 'mail', deadline } })];
const secret = intent({ is_sensitive: true });
const late = overdue();
const bare = event({
  event_type: 'agent.action.completed',
  actor_type: 'agent',
  actor_id: 'bot',
  parent_id: '0199c0de-0000-7000-8000-000000000000',
  context: { action: 'wipe' },
});
const elsewhere = intent({ tenant_id: 'globex' });

const path = '/v1/audit/open-intents';
const idsOf = (json: { open_intents: { audit_id: string }[] }) =>
  json.open_intents.map(({ audit_id }) => audit_id).sort();
const sorted = (...events: readonly Record<string, unknown>[]) =>
  events.map(({ audit_id }) => audit_id as string).sort();

beforeAll(async () => {
  http = await Harness.open({
    maxFollowerLagMs: 3_600_000,
    // The test runs the rounds.
    service: { followers: { tickMs: 3_600_000 }, openIntents: { graceMs: 0 } },
  });
  await http.ingest([...open, secret, late, bare, elsewhere]);
  const { followers } = http.service;
  await until(
    async () => {
      followers!.mergeSoon();
      await followers!.round();
      const { open_intents, behind_seconds } = (await http.get(path)).json;
      const states = open_intents.map(({ state }: { state: string }) => state);
      return behind_seconds === 0 && states.includes('unresolved') && states.includes('unexplained');
    },
    { timeoutMs: 90_000, intervalMs: 50 },
  );
}, 120_000);
afterAll(() => http?.[Symbol.asyncDispose]());

it('lists what is missing of the actions of agents, by state, agent, action, tenant and age', async () => {
  const list = async (query: string) => idsOf((await http.get(`${path}?${query}`)).json);
  expect(await list('')).toEqual(sorted(...open, secret, late, bare, elsewhere));
  expect(await list('tenant_id=globex')).toEqual(sorted(elsewhere));
  expect(await list('tenant_id=acme&state=open')).toEqual(sorted(...open, secret));
  expect(await list('state=unresolved')).toEqual(sorted(late));
  expect(await list('state=unexplained')).toEqual(sorted(bare));
  expect(await list('state=early')).toEqual([]);
  expect(await list('actor_id=other-bot')).toEqual(sorted(open[1]!));
  expect(await list('action=wipe')).toEqual(sorted(bare));
  expect(await list('min_age_seconds=86400')).toEqual([]);
});

it('says what is known of each', async () => {
  const [found] = (await http.get(`${path}?state=unresolved`)).json.open_intents;
  expect(found).toMatchObject({
    tenant_id: 'acme',
    intent_id: late.audit_id,
    audit_id: late.audit_id,
    state: 'unresolved',
    waiting: false,
    actor_type: 'agent',
    actor_id: 'bot',
    action: 'refund',
    deadline: expect.any(String),
  });
  const finding = (await http.get(`/v1/audit/events/${found.finding_id}?tenant_id=acme`)).json;
  expect(finding).toMatchObject({ event_type: 'agent.action.unresolved' });
  const [unexplained] = (await http.get(`${path}?state=unexplained`)).json.open_intents;
  expect(unexplained).toMatchObject({ intent_id: bare.parent_id, audit_id: bare.audit_id, deadline: null });
});

it('has pages in the order of deadlines', async () => {
  const seen: { audit_id: string }[] = [];
  let next = '';
  do {
    const { json } = await http.get(`${path}?limit=2${next}`);
    expect(json.open_intents.length).toBeLessThanOrEqual(2);
    seen.push(...json.open_intents);
    next = json.next_cursor === undefined ? '' : `&cursor=${json.next_cursor}`;
  } while (next !== '');
  expect(idsOf({ open_intents: seen })).toEqual(sorted(...open, secret, late, bare, elsewhere));
  const { next_cursor } = (await http.get(`${path}?limit=2`)).json;
  expect((await http.get(`${path}?state=open&limit=2&cursor=${next_cursor}`)).status).toBe(400);
});

it('leaves out the tenant next door, and what is sensitive', async () => {
  const reader = await http.key(['acme', 'globex'], 'events:read');
  expect(idsOf((await http.get(path, reader)).json)).toEqual(sorted(...open, late, bare, elsewhere));
  const both = await http.key(['acme'], 'events:read', 'events:read-sensitive');
  expect(idsOf((await http.get(path, both)).json)).toEqual(sorted(...open, secret, late, bare));
  expect((await http.get(path, await http.key(['acme'], 'events:write'))).status).toBe(403);
});

it('is counted in the metrics', async () => {
  const { text } = await http.get('/metrics');
  expect(text).toContain('tallystick_intents_unresolved 1');
  expect(text).toContain('tallystick_intents_unexplained 1');
});

it('the readiness shows how far each follower is', async () => {
  const { json } = await http.get('/ready');
  expect(json).toMatchObject({
    status: 'ready',
    followers: ['open-intents', 'field-index', 'search-index', 'hourly-counts'].map((name) => ({
      name,
      state: 'running',
      stopped_tenants: 0,
    })),
  });
});

it('a follower that is further behind than the bound makes the service degraded, and still ready', async () => {
  const behind = { name: 'open-intents', records: 9, seconds: 3_601, tenants: 1, stopped: 0 };
  using _ = vi
    .spyOn(http.service.followers!, 'health')
    .mockReturnValue([{ ...behind, paused: true, rebuilding: false }]);
  const { status, json } = await http.get('/ready', '');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    status: 'degraded',
    reasons: ['the follower open-intents is 3601 s behind the chains'],
    followers: [{ name: 'open-intents', state: 'paused', lag_records: 9, lag_seconds: 3_601 }],
  });
});
