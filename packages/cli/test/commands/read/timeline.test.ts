import { uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;

const run = (...args: readonly string[]) =>
  tally(['timeline', ...args], {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      COLUMNS: '100',
    },
  });

const event = (at: number, fields: object) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: new Date(Date.UTC(2026, 2, 1) + at).toISOString(),
  source_service: 'soc',
  event_type: 'investigation.state_changed',
  actor_type: 'service',
  actor_id: 'orchestrator',
  investigation_id: 'inv-1',
  ...fields,
});
const outside = event(0, { event_type: 'alert.classified', investigation_id: 'inv-0' });
const received = event(10, {
  parent_id: outside.audit_id,
  outcome: { outcome_status: 'success', state_before: 'none', state_after: 'received' },
});
const model = event(20, {
  event_type: 'routing.tier_selected',
  parent_id: received.audit_id,
  context: {
    llm_provider: 'offline',
    llm_model_id: 'rules',
    llm_model_tier: '1',
    llm_input_tokens: 337,
    llm_output_tokens: 41,
    llm_cost_usd: 0.000542,
    llm_prompt_template_id: 'alert.classify',
    llm_prompt_template_version: '1',
    evidence_refs: ['alert-7'],
  },
  decision: { classification: 'true_positive', confidence: 0.72, reasoning_summary: 'plant control' },
  outcome: { outcome_status: 'success' },
});
const intent = event(30, {
  event_type: 'agent.action.intended',
  parent_id: received.audit_id,
  context: { action: 'stop_line' },
});

beforeAll(async () => {
  service = await openService(`${dir.path}/store`);
  await service.submit({ events: [outside, intent, model, received] });
}, 120_000);
afterAll(async () => {
  await service?.close();
  dir.remove();
});

test('--summary prints the heading and the summary, and no record', async () => {
  const { stdout, exitCode } = await run('inv-1', '--summary');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Investigation inv-1 of acme\n3 records in 20 ms, .*\n(?:.+\n)?\nModels /);
  expect(stdout).not.toContain('●');
  const json = await run('inv-1', '--summary', '--json');
  expect(json.stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(json.stdout)).toHaveProperty('summary');
});

test('the tree shows the order of causes, and the summary what it cost and what is missing', async () => {
  const { stdout, exitCode } = await run('inv-1');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Investigation inv-1 of acme\n3 records in 20 ms, from 2026-03-01 00:00:00 UTC\n/);
  expect(stdout).toMatch(
    /^ +\+0 ms +#\d+ {2}● investigation\.state_changed, none → received, by orchestrator$/m,
  );
  expect(stdout).toMatch(/│ cause +alert\.classified #\d+, outside of the investigation$/m);
  expect(stdout).toMatch(
    /^ +\+10 ms +#\d+ {2}├─● routing\.tier_selected, offline rules tier 1, true_positive, /m,
  );
  expect(stdout).toMatch(/why +plant control$/m);
  expect(stdout).toMatch(/prompt +template alert\.classify, version 1$/m);
  expect(stdout).toMatch(/evidence alert-7$/m);
  expect(stdout).toMatch(/cost +\$0\.000542, 337 tokens in, 41 out$/m);
  expect(stdout).toMatch(/^Models +offline rules tier 1: 1 call, \$0\.000542, 337 tokens in, 41 out, 0 ms$/m);
  expect(stdout).toMatch(/^Missing +stop_line \(#\d+\) was declared, and no record says how it ended$/m);
  expect(stdout).toContain('tally verify --tenant acme');
});

test('as JSON, each record is a line in the order of the tree, and the summary is the last', async () => {
  const { json } = await run('inv-1', '--json');
  const lines = json() as { event?: { audit_id: string }; depth?: number; summary?: { complete: boolean } }[];
  expect(lines.map(({ event: shown, depth }) => [shown?.audit_id, depth])).toEqual([
    [received.audit_id, 0],
    [model.audit_id, 1],
    [intent.audit_id, 0],
    [undefined, undefined],
  ]);
  expect(lines.at(-1)!.summary).toMatchObject({
    complete: true,
    models: [{ calls: 1, cost_usd: 0.000542 }],
    effects: [],
  });
});

test('a list that is cut off says so', async () => {
  const { stdout } = await run('inv-1', '--limit', '2');
  expect(stdout).toMatch(/^Missing +there are more records than the 2 that were read/m);
});

test('an investigation that does not exist, and a limit that is too high', async () => {
  const none = await run('inv-9');
  expect([none.exitCode, none.stdout]).toEqual([2, '']);
  expect(none.stderr).toContain('acme has no record of the investigation inv-9 (NOT_FOUND)');
  expect((await run('inv-1', '--limit', '10001')).exitCode).toBe(3);
});

test('a correlation, a trace or a run of an agent instead of an investigation', async () => {
  const started = event(100, {
    event_type: 'agent.run.started',
    correlation_id: 'job-1',
    investigation_id: undefined,
  });
  const called = event(110, {
    event_type: 'agent.model.called',
    correlation_id: 'job-1',
    investigation_id: undefined,
    parent_id: started.audit_id,
  });
  await service.submit({ events: [started, called] });
  const ofRun = await run('--run', started.audit_id);
  expect(ofRun.stdout).toMatch(new RegExp(`^Run ${started.audit_id} of acme\\n2 records in 10 ms`));
  const correlated = await run('--correlation', 'job-1', '--summary', '--json');
  expect(correlated.json()).toMatchObject([{ summary: { correlation_id: 'job-1', records: 2 } }]);
  expect((await run('--trace', 'none')).stderr).toContain('acme has no record of the trace none');
  for (const wrong of [[], ['inv-1', '--trace', 'x'], ['--run', started.audit_id, '--trace', 'x']])
    expect((await run(...wrong)).exitCode).toBe(3);
});
