import { afterAll, beforeAll, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ service: { followers: false } });
  await http.ingest([event(), event()]);
});
afterAll(() => http?.[Symbol.asyncDispose]());

const change = (body: object, follower = 'open-intents') =>
  http.call('POST', `/v1/followers/${follower}`, { body });

it('lists the followers, with the records that they have not read', async () => {
  const { status, json } = await http.get('/v1/followers');
  expect(status).toBe(200);
  expect(json.followers).toMatchObject([
    {
      name: 'open-intents',
      effect: 'database',
      state: 'running',
      paused_by: null,
      stopped_tenants: 0,
      stopped: [],
    },
    { name: 'field-index', effect: 'database', state: 'running' },
    { name: 'search-index', effect: 'database', state: 'running' },
    { name: 'hourly-counts', effect: 'database', state: 'running' },
  ]);
  expect(json.followers[0].lag_records).toBeGreaterThanOrEqual(3);
});

it('pauses, resumes and resets a follower', async () => {
  expect((await change({ action: 'pause' })).json).toMatchObject({ state: 'paused' });
  expect((await http.get('/v1/followers')).json.followers[0].paused_by).toMatch(/^key:/);
  expect((await change({ action: 'resume' })).json).toMatchObject({ state: 'running', paused_by: null });
  expect((await change({ action: 'reset', tenant_id: 'acme' })).json).toMatchObject({ state: 'running' });
  // Nothing reads the chains here: the new rows cover no record.
  const { json } = await change({ action: 'reset' });
  expect(json).toMatchObject({ state: 'rebuilding', rebuild_records_left: expect.any(Number) });
  expect(json.rebuild_records_left).toBeGreaterThanOrEqual(3);
});

it('refuses an unknown follower, an unknown action, and a pause of one tenant', async () => {
  expect((await change({ action: 'pause' }, 'unknown')).status).toBe(404);
  expect((await change({ action: 'stop' })).status).toBe(422);
  expect((await change({ action: 'pause', tenant_id: 'acme' })).json).toMatchObject({ code: 'BODY_INVALID' });
});

it('is only for operators', async () => {
  const key = await http.key(['acme'], 'admin');
  expect((await http.call('GET', '/v1/followers', { key })).status).toBe(403);
  expect(
    (await http.call('POST', '/v1/followers/open-intents', { key, body: { action: 'pause' } })).status,
  ).toBe(403);
});
