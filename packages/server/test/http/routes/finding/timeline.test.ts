import { afterAll, beforeAll, expect, it } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let writer: string;
let plain: string;
const of = (at: number, fields: object = {}) =>
  event({
    timestamp: new Date(Date.UTC(2026, 2, 1) + at).toISOString(),
    investigation_id: 'inv-1',
    trace_id: 'trace-1',
    ...fields,
  });
const first = of(0, { event_type: 'alert.received' });
const call = of(20, {
  event_type: 'agent.model.called',
  parent_id: first.audit_id,
  context: { 'gen_ai.request.model': 'm', 'gen_ai.usage.input_tokens': 12 },
  outcome: { outcome_status: 'success', cost_usd: 0.5 },
});
const stray = of(30, { parent_id: '019ca97b-f880-7000-8000-000000000009', trace_id: 'trace-2' });
const secret = of(40, { parent_id: call.audit_id, is_sensitive: true });

beforeAll(async () => {
  http = await Harness.open();
  writer = await http.key(['acme'], 'events:write', 'events:read', 'events:read-sensitive');
  plain = await http.key(['acme'], 'events:read');
  await http.ingest([first, call, stray, secret], writer);
}, 60_000);
afterAll(() => http[Symbol.asyncDispose]());

const timeline = async (query: string, key = writer) =>
  await http.get(`/v1/audit/timeline?tenant_id=acme&${query}`, key);

it('is a tree of causes, with durations and sums', async () => {
  const { status, json } = await timeline('investigation_id=inv-1');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    tenant_id: 'acme',
    investigation_id: 'inv-1',
    complete: true,
    outside_complete: true,
  });
  expect(
    json.records.map(
      ({
        event: { audit_id },
        depth,
        is_root,
        elapsed_ms,
        duration_ms,
      }: {
        event: { audit_id: string };
        [name: string]: unknown;
      }) => [audit_id, depth, is_root, elapsed_ms, duration_ms],
    ),
  ).toEqual([
    [first.audit_id, 0, true, 0, 40],
    [call.audit_id, 0, false, 20, 20],
    [secret.audit_id, 0, false, 40, 0],
    [stray.audit_id, 0, true, 30, 0],
  ]);
  expect(json.outside).toEqual([{ audit_id: stray.parent_id }]);
  expect(json.summary.models).toEqual([
    {
      model: 'm',
      calls: 1,
      input_tokens: 12,
      output_tokens: 0,
      cost_usd: 0.5,
      latency_ms: 0,
      calls_without_cost: 0,
    },
  ]);
  expect(json.summary.missing).toEqual([expect.objectContaining({ kind: 'cause_unknown' })]);
});

it('has no sensitive records without the scope', async () => {
  const { json } = await timeline('trace_id=trace-1', plain);
  expect(json.records).toHaveLength(2);
  expect(JSON.stringify(json)).not.toContain(secret.audit_id);
});

it('says that it is cut off', async () => {
  const { json } = await timeline('investigation_id=inv-1&limit=2');
  expect([json.records.length, json.complete]).toEqual([2, false]);
});

it('is empty for a subject without records', async () => {
  const { status, json } = await timeline('correlation_id=none');
  expect([status, json.records, json.complete]).toEqual([200, [], true]);
});

it.each([
  '',
  'investigation_id=a&trace_id=b',
  'trace_id=',
  'investigation_id=a&limit=10001',
  'investigation_id=a&actor=x',
])('refuses %j', async (query) => {
  const { status, json } = await timeline(query);
  expect([status, json.code]).toEqual([400, 'PARAMETER_INVALID']);
});

it('a run of an agent is its first record and what that led to', async () => {
  const run = { correlation_id: 'job-1', investigation_id: undefined, actor_type: 'agent', actor_id: 'bot' };
  const started = of(100, { ...run, event_type: 'agent.run.started' });
  const called = of(110, { ...run, event_type: 'agent.model.called', parent_id: started.audit_id });
  const intended = of(120, { ...run, event_type: 'agent.action.intended', parent_id: called.audit_id });
  const other = of(105, { ...run, event_type: 'agent.run.started' });
  const ofOther = of(106, { ...run, event_type: 'agent.model.called', parent_id: other.audit_id });
  await http.ingest([started, called, other, intended, ofOther], writer);
  const { json } = await timeline(`run_id=${started.audit_id}`);
  expect(json).toMatchObject({ run_id: started.audit_id, complete: true });
  const ids = json.records.map((record: { event: { audit_id: string } }) => record.event.audit_id);
  expect(ids).toEqual([started, called, intended].map(({ audit_id }) => audit_id));
  // A record of another type is no run.
  expect((await timeline(`run_id=${called.audit_id}`)).json.records).toEqual([]);
  expect((await timeline('run_id=job-1')).status).toBe(400);
});
