import { createMemoryDesk } from '@tallystick/sdk/gate';
import { until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { SimulatedPlant } from '../../src/actuators/simulated-plant.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import { type ActionKind, actionTiers, type ResponsePlan } from '../../src/platform/investigation.ts';
import { ResponseAgent, type StoredPlan } from '../../src/response-agent/response-agent.ts';
import { minimumApprovalRules } from '../../src/response-agent/response-policy.ts';
import { openControls } from '../controls.ts';
import { newLineage, testParts } from '../platform-parts.ts';

const lineage = { ...newLineage(), alertId: 'alert-1', investigationId: 'inv-1' };

const plan = (kinds: readonly ActionKind[], tenant_id = 'acme'): ResponsePlan => ({
  plan_id: 'plan-1',
  investigation_id: 'inv-1',
  tenant_id,
  alert_id: 'alert-1',
  severity: 'high',
  playbook_id: 'pb-1',
  shadow: false,
  actions: kinds.map((kind, at) => ({
    action_id: `action-${at}`,
    kind,
    target: { type: 'host', id: `h${at}` },
    tier: actionTiers[kind],
    reason: 'it was attacked',
  })),
});

/** An agent that starts with plans that another process left. */
async function start(stored: readonly StoredPlan[] = [], plant = new SimulatedPlant()) {
  const parts = testParts();
  const plans = new MemoryDocuments<StoredPlan>();
  for (const one of stored) await plans.put(one.plan.tenant_id, one.plan.plan_id, one);
  const settled = await parts.collect('actions.settled');
  const desk = createMemoryDesk({
    requester: 'response-agent',
    clock: parts.clock,
    minimumRules: () => minimumApprovalRules(parts.settings),
  });
  const agent = new ResponseAgent({ ...parts, desk, actuators: plant, controls: openControls(), plans });
  await agent.start();
  return {
    ...parts,
    agent,
    plant,
    plans,
    desk,
    settled,
    run: async (value: ResponsePlan) => {
      await parts.topics.publish('actions.pending', { key: value.tenant_id, lineage, value });
      await parts.topics.settled();
    },
    isSettled: () => until(() => settled.length > 0, { what: 'a settled plan' }),
    results: () => settled.map(({ value }) => value.results.map(({ result }) => result)),
  };
}

/** The process died between the stored denial and the end of the plan. The next one did what people had denied. */
test('a denied verdict still ends the plan after a restart', async () => {
  const { plant, isSettled, results } = await start([
    {
      plan: plan(['confirm_verdict', 'block_ip']),
      lineage,
      results: [{ action_id: 'action-0', result: 'denied' }],
      settled: false,
    },
  ]);
  await isSettled();
  expect(plant.changes).toEqual([]);
  expect(results()).toEqual([['denied', 'denied']]);
});

/** The process died between a failed action and the roll-back of the others. The next one went on with the plan. */
test('a failed action still undoes the others after a restart', async () => {
  const { plant, isSettled, results } = await start([
    {
      plan: plan(['tag_host', 'block_domain', 'block_ip']),
      lineage,
      results: [
        { action_id: 'action-0', result: 'executed' },
        { action_id: 'action-1', result: 'failed' },
      ],
      settled: false,
    },
  ]);
  await isSettled();
  expect(plant.changes.map(({ kind, change }) => [kind, change])).toEqual([['tag_host', 'undone']]);
  expect(results()).toEqual([['rolled_back', 'failed']]);
});

test('an undo that fails half-way goes on later, and nothing is undone twice', async () => {
  const plant = new SimulatedPlant();
  let isDown = true;
  const undo = plant.undo.bind(plant);
  plant.undo = async (tenantId, action) => {
    if (isDown && action.action_id === 'action-0') throw new Error('no connection');
    return undo(tenantId, action);
  };
  plant.failing = ({ action_id }) => action_id === 'action-2';
  const { run, agent, clock, isSettled, results } = await start([], plant);
  await run(plan(['tag_host', 'block_ip', 'block_domain']));
  await agent.idle();
  isDown = false;
  clock.advance(15_000);
  await isSettled();
  const undone = plant.changes.filter(({ change }) => change === 'undone').map(({ actionId }) => actionId);
  expect(undone).toEqual(['action-1', 'action-0']);
  expect(results()).toEqual([['rolled_back', 'rolled_back', 'failed']]);
});

test('a system that does not answer ends the action as unknown, and its late answer is recorded', async () => {
  const plant = new SimulatedPlant();
  let answer = () => {};
  const execute = plant.execute.bind(plant);
  plant.execute = async (tenantId, action) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return execute(tenantId, action);
  };
  const { run, agent, clock, settings, isSettled, results, trail } = await start([], plant);
  await run(plan(['block_ip']));
  await until(() => clock.pendingTimers > 0, { what: 'a time limit' });
  clock.advance(settings.response.effectTimeoutMs);
  await isSettled();
  await agent.idle();
  expect(results()).toEqual([['unknown']]);
  const outcomes = () =>
    trail.events
      .filter(({ event_type }) => event_type === 'response.executed')
      .map(({ outcome }) => [outcome!.outcome_status, outcome!.error_code]);
  expect(outcomes()).toEqual([['failure', 'ACTUATOR_TIMED_OUT']]);
  answer();
  await until(() => outcomes().length === 2, { what: 'the record of the late answer' });
  expect(outcomes()[1]).toEqual(['success', undefined]);
});

test('two tenants may have plans of one id', async () => {
  const { run, agent, desk } = await start();
  await run(plan(['isolate_host']));
  await run(plan(['isolate_host'], 'globex'));
  await until(() => desk.list().length === 2, { what: 'both requests' });
  expect(agent.openPlans).toBe(2);
});

test('a database that is away when a plan goes on later does not lose the plan', async () => {
  const { run, agent, plans, desk, clock, plant, isSettled } = await start();
  const get = plans.get.bind(plans);
  plant.failing = () => false;
  let putsUntilDown = 1;
  const put = plans.put.bind(plans);
  let isDown = false;
  plans.put = async (...all) => {
    if (isDown || putsUntilDown-- <= 0) {
      isDown = true;
      throw new Error('no connection');
    }
    return put(...all);
  };
  plans.get = async (...all) => {
    if (isDown) throw new Error('no connection');
    return get(...all);
  };
  await run(plan(['tag_host']));
  await agent.idle();
  clock.advance(15_000);
  await agent.idle();
  isDown = false;
  putsUntilDown = 100;
  clock.advance(15_000);
  await isSettled();
  expect(desk.list()).toEqual([]);
  expect(agent.openPlans).toBe(0);
});
