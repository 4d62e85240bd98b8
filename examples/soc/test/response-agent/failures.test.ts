import { until } from '@tallystick/testing';
import { describe, expect, test } from 'vitest';
import { SimulatedPlant } from '../../src/actuators/simulated-plant.ts';
import { type TestParts, testParts } from '../platform-parts.ts';

import { lineage, plan, start } from './started-agent.ts';

/** The process died between the stored denial and the end of the plan. The next one did what people had denied. */
test('a denied verdict still ends the plan after a restart', async () => {
  const { plant, settledPlans, results } = await start({
    stored: [
      {
        plan: plan(['confirm_verdict', 'block_ip']),
        lineage,
        results: [{ action_id: 'action-0', result: 'denied' }],
        settled: false,
      },
    ],
  });
  await settledPlans();
  expect(plant.changes).toEqual([]);
  expect(results()).toEqual([['denied', 'denied']]);
});

/** The process died between a failed action and the roll-back of the others. The next one went on with the plan. */
test('a failed action still undoes the others after a restart', async () => {
  const { plant, settledPlans, results } = await start({
    stored: [
      {
        plan: plan(['tag_host', 'block_domain', 'block_ip']),
        lineage,
        results: [
          { action_id: 'action-0', result: 'executed' },
          { action_id: 'action-1', result: 'failed' },
        ],
        settled: false,
      },
    ],
  });
  await settledPlans();
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
  const { send, agent, clock, settledPlans, results } = await start({ plant });
  await send(plan(['tag_host', 'block_ip', 'block_domain']));
  await agent.idle();
  isDown = false;
  clock.advance(15_000);
  await settledPlans();
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
  const { send, agent, clock, settings, settledPlans, results, trail } = await start({ plant });
  await send(plan(['block_ip']));
  await until(() => clock.pendingTimers > 0, { what: 'a time limit' });
  clock.advance(settings.response.effectTimeoutMs);
  await settledPlans();
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
  const { send, agent, desk } = await start();
  await send(plan(['isolate_host']));
  await send(plan(['isolate_host'], { tenant_id: 'globex' }));
  await until(() => desk.list().length === 2, { what: 'both requests' });
  expect(agent.openPlans).toBe(2);
});

test('a database that is away when a plan goes on later does not lose the plan', async () => {
  const { send, agent, plans, desk, clock, plant, settledPlans } = await start();
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
  await send(plan(['tag_host']));
  await agent.idle();
  clock.advance(15_000);
  await agent.idle();
  isDown = false;
  putsUntilDown = 100;
  clock.advance(15_000);
  await settledPlans();
  expect(desk.list()).toEqual([]);
  expect(agent.openPlans).toBe(0);
});

describe('failures', () => {
  test('what the plan did before is undone, the last first', async () => {
    const { run, plant, results, trail } = await start();
    plant.failing = ({ kind }) => kind === 'quarantine_file';
    await run(plan(['tag_host', 'block_ip', 'quarantine_file', 'notify_analyst']));
    expect(plant.inForce('acme')).toEqual([]);
    expect(results()).toEqual([['rolled_back', 'rolled_back', 'failed']]);
    expect(trail.events.slice(-3)).toMatchObject([
      {
        event_type: 'response.executed',
        outcome: { outcome_status: 'failure', error_code: 'ACTUATOR_FAILED' },
      },
      { event_type: 'response.rolled_back', outcome: { action_taken: 'undo block_ip' } },
      { event_type: 'response.rolled_back', outcome: { action_taken: 'undo tag_host' } },
    ]);
  });

  test('a person can undo a plan, and the record names them', async () => {
    const { run, plant, agent, trail } = await start();
    await run(plan(['block_ip']));
    await agent.rollBack('acme', 'plan-1', 'mia', 'false positive');
    expect(plant.inForce('acme')).toEqual([]);
    expect(trail.events.at(-1)).toMatchObject({
      event_type: 'response.rolled_back',
      actor_type: 'user',
      actor_id: 'mia',
      decision: { reasoning_summary: 'false positive' },
    });
    await expect(agent.rollBack('globex', 'plan-1', 'eve', 'x')).rejects.toThrow('there is no plan plan-1');
  });

  test('without an acknowledged intent the action waits, and runs when the trail is back', async () => {
    const parts = testParts();
    let isDown = true;
    const { record } = parts.audit!;
    const audit = {
      emit: parts.audit!.emit.bind(parts.audit),
      record: async (...args: unknown[]) => {
        if (isDown) throw new Error('the service is down');
        return (record as (...all: unknown[]) => Promise<unknown>).apply(parts.audit, args);
      },
    } as unknown as NonNullable<TestParts['audit']>;
    const { run, results, desk, clock, decide, settledPlans } = await start({
      parts: { ...parts, audit },
    });
    await run(plan(['isolate_host']));
    expect([results(), desk.list()]).toEqual([[], []]);
    isDown = false;
    clock.advance(15_000);
    await until(() => desk.list().length === 1);
    expect(desk.list()).toHaveLength(1);
    await decide('grant', 'mia');
    await settledPlans();
    expect(results()).toEqual([['executed']]);
  });

  test('after a restart a plan goes on where it was', async () => {
    const first = await start();
    await first.run(plan(['tag_host', 'isolate_host']));
    await first.agent.stop();
    const second = await start({ plans: first.plans });
    await second.quiet();
    expect(second.plant.changes).toEqual([]);
    await second.decide('grant', 'mia');
    await second.settledPlans();
    expect(second.results()).toEqual([['executed', 'executed']]);
    expect(second.plant.inForce('acme')).toEqual(['isolate_host host:h1']);
  });

  test('a plan that is delivered twice is carried out once', async () => {
    const { run, plant } = await start();
    await run(plan(['block_ip']));
    await run(plan(['block_ip']));
    expect(plant.changes).toHaveLength(1);
  });
});
