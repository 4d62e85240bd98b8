import { describe, expect, test } from 'vitest';
import { newLineage } from '../platform-parts.ts';

import { acme, action, start } from './started-governance.ts';

describe('kill switches', () => {
  const technique = { kind: 'technique', value: 'T1110' } as const;

  test('stop what they name, for one tenant, until they are released', async () => {
    const { governance, trail } = await start();
    await governance.activateKillSwitch(technique, 'mia', 'too many mistakes', acme);
    expect(await governance.isKilled('acme', [{ kind: 'source', value: 'wazuh' }, technique])).toBe(true);
    expect(await governance.isKilled('acme', [{ kind: 'source', value: 'T1110' }])).toBe(false);
    expect(await governance.isKilled('globex', [technique])).toBe(false);
    await governance.deactivateKillSwitch(technique, 'jo', 'fixed', acme);
    expect(await governance.isKilled('acme', [technique])).toBe(false);
    expect(trail.events).toMatchObject([
      {
        event_type: 'kill_switch.activated',
        actor_id: 'mia',
        target_id: 'technique:T1110',
        severity: 'critical',
      },
      { event_type: 'kill_switch.deactivated', actor_id: 'jo', decision: { reasoning_summary: 'fixed' } },
    ]);
  });

  test('a switch in the same position is not recorded again', async () => {
    const { governance, trail } = await start();
    await expect(governance.deactivateKillSwitch(technique, 'mia', 'r', acme)).rejects.toMatchObject({
      code: 'NO_CHANGE',
    });
    await governance.activateKillSwitch(technique, 'mia', 'r', acme);
    await expect(governance.activateKillSwitch(technique, 'jo', 'r', acme)).rejects.toMatchObject({
      code: 'NO_CHANGE',
    });
    expect(trail.events).toHaveLength(1);
  });

  test('that of the tenant stops every automatic action', async () => {
    const { governance } = await start();
    expect(await governance.admitAutomatic(acme, action)).toBe(true);
    await governance.activateKillSwitch({ kind: 'tenant', value: 'acme' }, 'mia', 'r', acme);
    expect(await governance.admitAutomatic(acme, action)).toBe(false);
    expect(await governance.admitAutomatic(newLineage('globex'), action)).toBe(true);
  });
});

test('20 automatic actions an hour are permitted; the breach is recorded once until the limit is kept again', async () => {
  const { governance, trail, clock } = await start();
  let asked = 0;
  const admit = () => governance.admitAutomatic(acme, { ...action, action_id: `a-${asked++}` });
  for (let at = 0; at < 20; at++) expect(await admit()).toBe(true);
  expect([await admit(), await admit()]).toEqual([false, false]);
  expect(await governance.admitAutomatic(newLineage('globex'), action)).toBe(true);
  expect(trail.events).toMatchObject([
    {
      event_type: 'accumulation.threshold_breached',
      tenant_id: 'acme',
      context: { actions_in_window: 21, limit: 20, window_ms: 3_600_000 },
      outcome: { outcome_status: 'blocked' },
    },
  ]);
  clock.advance(3_600_000);
  for (let at = 0; at < 21; at++) await admit();
  expect(trail.events).toHaveLength(2);
});

// Counts were lost with the process: more actions ran than the limit permits.
describe('after a restart', () => {
  test('actions from before count, and one that asks again is not counted twice', async () => {
    const { governance, restarted, types, clock } = await start();
    const asks = (number: number) => ({ ...action, action_id: `a-${number}` });
    for (let at = 0; at < 20; at++) await governance.admitAutomatic(acme, asks(at));
    const next = await restarted();
    expect(await next.governance.admitAutomatic(acme, asks(7))).toBe(true);
    expect(await next.governance.admitAutomatic(acme, asks(20))).toBe(false);
    const third = await restarted();
    expect(await third.governance.admitAutomatic(acme, asks(21))).toBe(false);
    expect(types()).toEqual(['accumulation.threshold_breached']);
    clock.advance(3_600_000);
    expect(await third.governance.admitAutomatic(acme, asks(22))).toBe(true);
  });

  test('actions that ask at the same time do not exceed the limit', async () => {
    const { governance, types } = await start();
    const admitted = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        governance.admitAutomatic(acme, { ...action, action_id: `a-${at}` }),
      ),
    );
    expect(admitted.filter(Boolean)).toHaveLength(20);
    expect(types()).toEqual(['accumulation.threshold_breached']);
  });
});
