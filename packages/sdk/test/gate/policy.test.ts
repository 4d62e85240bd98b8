import { afterEach, describe, expect, test, vi } from 'vitest';
import { rulePolicy } from '../../src/gate/index.ts';
import { closeGates, failure, open, policyOf, refund, types } from './open-gate.ts';

afterEach(closeGates);

describe('a denied action', () => {
  test('has no effect, and its record says why', async () => {
    const effect = vi.fn();
    const policy = policyOf(() => ({ effect: 'deny', rule: 'night', reason: 'no refunds at night' }));
    const { gate, records } = open({ policy });
    const error = await failure(gate.run(refund, effect));
    expect(error).toMatchObject({ code: 'DENIED', message: 'the policy denies refund: no refunds at night' });
    expect(effect).not.toHaveBeenCalled();
    const events = await records();
    expect(types(events)).toEqual(['agent.action.intended', 'agent.action.decided']);
    expect(events[1]).toMatchObject({
      decision: { effect: 'deny', rule: 'night' },
      outcome: { outcome_status: 'denied' },
    });
  });

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      'policy_failed',
    ],
    ['rejects', () => Promise.reject(new Error('secret')), 'policy_failed'],
    ['answers true', () => true, 'policy_failed'],
    ['answers nothing', () => undefined, 'policy_failed'],
    ['answers Allow', () => ({ effect: 'Allow' }), 'policy_failed'],
    [
      'answers a getter that throws',
      () => ({
        get effect() {
          throw new Error('secret');
        },
      }),
      'policy_failed',
    ],
    ['hangs', () => new Promise(() => undefined), 'policy_timed_out'],
  ])('by a policy that %s', async (_name, decide, rule) => {
    const { gate, records } = open({ policy: policyOf(decide as never), policyTimeoutMs: 5 });
    expect(await failure(gate.run(refund, () => 1))).toMatchObject({ code: 'DENIED' });
    const events = await records();
    expect(events[1]).toMatchObject({ decision: { effect: 'deny', rule } });
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  test('a policy can change neither the request nor the arguments of the effect', async () => {
    const policy = policyOf((request) => {
      expect(() => Object.assign(request.arguments as object, { amount: 1 })).toThrow(TypeError);
      expect(() => Object.assign(request, { tenantId: 'other' })).toThrow(TypeError);
      return { effect: 'allow' };
    });
    expect(await open({ policy }).gate.run(refund, ({ amount }) => amount)).toBe(40);
  });
});

describe('the policy says how an action is handled', () => {
  test('hidden arguments of the rule that matches, and whether it fails open', async () => {
    const audit = { emit: () => undefined, record: () => Promise.reject(new Error('away')) };
    const rules = [
      { name: 'read', when: { action: 'read' }, effect: 'allow', failOpen: true },
      { name: 'rest', effect: 'allow', hidden: ['/a'] },
    ] as const;
    const { gate } = open({
      audit: audit as never,
      policy: rulePolicy({ name: 'p', version: '1', rules }),
    });
    expect(await gate.run({ action: 'read' }, () => 'ran')).toBe('ran');
    await expect(gate.run({ action: 'write' }, () => 'ran')).rejects.toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    });
  });

  test('a policy that fails to say it ends the action', async () => {
    const policy = {
      ...rulePolicy({ name: 'p', version: '1', rules: [] }),
      handling: () => {
        throw new Error('x');
      },
    };
    const { gate } = open({ policy });
    await expect(gate.run({ action: 'a' }, () => 'ran')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('mistakes are named', () => {
    const policy = (rule: object) => () =>
      rulePolicy({ name: 'p', version: '1', rules: [{ name: 'r', ...rule } as never] });
    expect(policy({ effect: 'ask', failOpen: true })).toThrow('/rules/0/failOpen needs the effect allow');
    expect(policy({ effect: 'allow', hidden: ['card'] })).toThrow('/rules/0/hidden/0 must be a JSON pointer');
  });
});
