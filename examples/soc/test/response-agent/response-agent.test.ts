import { describe, expect, test } from 'vitest';

import { plan, start } from './started-agent.ts';

describe('automatic actions', () => {
  test('run at once and are recorded before and after', async () => {
    const { run, plant, results, trail } = await start();
    await run(plan(['tag_host', 'block_ip']));
    expect(plant.inForce('acme')).toEqual(['tag_host host:h0', 'block_ip host:h1']);
    expect(results()).toEqual([['executed', 'executed']]);
    expect(trail.events).toMatchObject([
      {
        event_type: 'response.prepared',
        decision: { classification: 'tag_host', constraints_applied: ['tier 0 runs by itself'] },
      },
      {
        event_type: 'response.executed',
        parent_id: trail.events[0]!.audit_id,
        outcome: { outcome_status: 'success', action_target: 'host:h0', reference: 'change-1' },
      },
      { event_type: 'response.prepared' },
      { event_type: 'response.executed', investigation_id: 'inv-1', alert_id: 'alert-1' },
    ]);
  });

  test('beyond the accumulation guard need a human', async () => {
    const { run, plant, decide, results, settledPlans } = await start({
      controls: { admitAutomatic: async () => false },
    });
    await run(plan(['block_ip']));
    expect(plant.changes).toEqual([]);
    await decide('grant', 'mia');
    await settledPlans();
    expect(results()).toEqual([['executed']]);
  });

  test('a kill switch that is activated while one runs stops the rest of the plan until people decide', async () => {
    let isStopped = false;
    const { run, plant, decide, results, settledPlans, types } = await start({
      controls: { admitAutomatic: async () => !isStopped },
    });
    plant.failing = () => {
      isStopped = true;
      return false;
    };
    await run(plan(['tag_host', 'block_ip']));
    expect(plant.inForce('acme')).toEqual(['tag_host host:h0']);
    expect(types().filter((type) => type === 'response.executed')).toHaveLength(1);
    await decide('deny', 'mia');
    await settledPlans();
    expect(results()).toEqual([['executed', 'denied']]);
    expect(plant.inForce('acme')).toEqual(['tag_host host:h0']);
  });

  test('in shadow mode are logged and not executed, and so are large ones', async () => {
    const { run, plant, results, types } = await start();
    await run(plan(['block_ip', 'isolate_host'], { shadow: true }));
    expect(plant.changes).toEqual([]);
    expect(results()).toEqual([['shadowed', 'shadowed']]);
    expect(types()).toEqual([
      'response.prepared',
      'shadow.decision_logged',
      'response.prepared',
      'shadow.decision_logged',
    ]);
  });
});

describe('gated actions', () => {
  // The policy was made at the start: `config.changed` was recorded, and the old window still held.
  test('follow a window that people have changed, under the policy that their record names', async () => {
    const { run, desk, trail, settings } = await start();
    await run(plan(['isolate_host']));
    settings.response.approvalWindowMs.high = 600_000;
    const later = plan(['isolate_host']);
    const actions = later.actions.map((action) => ({ ...action, action_id: 'later' }));
    await run({ ...later, plan_id: 'plan-2', actions });
    expect(desk.list().map(({ rules }) => rules.timeout_ms)).toEqual([7_200_000, 600_000]);
    const digests = trail.events
      .filter(({ event_type }) => event_type === 'agent.action.decided')
      .map(({ decision }) => (decision as { policy: { digest: string } }).policy.digest);
    expect(new Set(digests).size).toBe(2);
  });

  test('wait for a human, run once granted, and the intent is recorded first', async () => {
    const { run, decide, plant, results, trail, desk, settledPlans } = await start();
    await run(plan(['isolate_host']));
    expect([plant.changes, results()]).toEqual([[], []]);
    expect(desk.list()).toMatchObject([
      {
        state: 'pending',
        rules: {
          approvals: 1,
          timeout_ms: 7_200_000,
          remind_after_ms: 3_600_000,
          escalate_to: ['soc-leads'],
        },
      },
    ]);
    await decide('grant', 'mia');
    await settledPlans();
    expect(results()).toEqual([['executed']]);
    const [prepared, intended, decided, executed, completed] = trail.events;
    expect(trail.events.map(({ event_type }) => event_type)).toEqual([
      'response.prepared',
      'agent.action.intended',
      'agent.action.decided',
      'response.executed',
      'agent.action.completed',
    ]);
    expect(intended!.parent_id).toBe(prepared!.audit_id);
    for (const event of [decided, executed, completed]) expect(event!.parent_id).toBe(intended!.audit_id);
  });

  test('a denial is a denial, whatever time passes', async () => {
    const { run, decide, plant, results, clock, settledPlans } = await start();
    await run(plan(['isolate_host']));
    await decide('deny', 'mia');
    await settledPlans();
    clock.advance(24 * 3_600_000);
    expect([plant.changes, results()]).toEqual([[], [['denied']]]);
  });

  test.each([
    ['critical', 1, 1],
    ['high', 2, 2],
    ['medium', 4, 0],
    ['low', 8, 0],
  ] as const)('%s: the window is %d h, and after an escalation %d h more', async (severity, hours, more) => {
    const { run, results, clock, desk, settledPlans } = await start();
    await run(plan(['isolate_host'], { severity }));
    const minute = 60_000;
    clock.advance(hours * 60 * minute - minute);
    expect(desk.list()[0]!.state).toBe('pending');
    clock.advance(minute);
    expect(desk.list()[0]!.state).toBe(more > 0 ? 'pending' : 'timed_out');
    clock.advance(more * 60 * minute);
    await settledPlans();
    expect(results()).toEqual([['timed_out']]);
  });

  test('of tier 3 need two different people', async () => {
    const { run, decide, results, desk, settledPlans } = await start();
    await run(plan(['stop_production_line']));
    await decide('grant', 'mia');
    expect(results()).toEqual([]);
    await expect(decide('grant', 'mia')).rejects.toThrow();
    await decide('grant', 'jo');
    await settledPlans();
    expect(results()).toEqual([['executed']]);
    expect(desk.list()[0]!.state).toBe('claimed');
  });

  test('if a human does not confirm the verdict, nothing of the plan is done', async () => {
    const { run, decide, plant, results, settledPlans } = await start();
    await run(plan(['confirm_verdict', 'block_ip', 'isolate_host']));
    await decide('deny', 'mia');
    await settledPlans();
    expect(results()).toEqual([['denied', 'denied', 'denied']]);
    expect(plant.changes).toEqual([]);
  });

  test('the rest of a plan goes on after them, in order', async () => {
    const { run, decide, plant, settledPlans } = await start();
    await run(plan(['isolate_host', 'block_ip']));
    await decide('deny', 'mia');
    await settledPlans();
    expect(plant.inForce('acme')).toEqual(['block_ip host:h1']);
  });
});

test('without an emitter the results are the same, byte for byte', async () => {
  const messages = async (audit: boolean) => {
    const agent = await start({ audit });
    const settled = await agent.collect('actions.settled');
    await agent.run(plan(['tag_host', 'isolate_host', 'block_ip']));
    await agent.decide('grant', 'mia');
    await agent.settledPlans();
    return JSON.stringify(settled);
  };
  expect(await messages(false)).toBe(await messages(true));
});
