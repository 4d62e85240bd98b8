import { defaultApprovalRules } from '@tallystick/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemoryDesk, type GateErrorCode, type GateOptions } from '../../src/gate/index.ts';
import { FakeClock } from '../support/clock.ts';
import { ask, closeGates, failure, open, refund, types } from './open-gate.ts';

afterEach(closeGates);

describe('an action that needs an approval', () => {
  const setUp = (options: Partial<GateOptions> = {}) => {
    const clock = new FakeClock();
    const desk = createMemoryDesk({ clock, requester: 'service:refunds' });
    return { desk, clock, ...open({ policy: ask, desk, ...options }) };
  };
  const pending = async (desk: ReturnType<typeof createMemoryDesk>) => {
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1));
    return desk.list()[0]!;
  };

  test('runs after it was granted, with what was approved', async () => {
    const { gate, desk, records } = setUp();
    const running = gate.run(refund, ({ amount }) => amount);
    const approval = await pending(desk);
    expect(approval.document).toMatchObject({
      action: 'refund',
      arguments: { amount: 40 },
      tenant_id: 'acme',
    });
    await desk.decide('acme', approval.id, { subject: 'eve', verdict: 'grant' });
    expect(await running).toBe(40);
    expect(desk.list()[0]!.state).toBe('claimed');
    const events = await records();
    expect(types(events)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
      'agent.action.completed',
    ]);
    expect(events[2]).toMatchObject({ context: { approval_id: approval.id } });
    expect(approval.document_digest).toBe(events[0]!.context!.document_digest);
    expect(approval.intent_id).toBe(events[0]!.audit_id);
  });

  test.each<
    [
      GateErrorCode,
      string,
      (desk: ReturnType<typeof createMemoryDesk>, id: string, clock: FakeClock) => Promise<unknown>,
    ]
  >([
    ['APPROVAL_DENIED', 'denied', (desk, id) => desk.decide('acme', id, { subject: 'eve', verdict: 'deny' })],
    [
      'APPROVAL_TIMED_OUT',
      'timed_out',
      (_desk, _id, clock) => clock.advance(defaultApprovalRules.timeout_ms),
    ],
    ['APPROVAL_WITHDRAWN', 'failure', (desk, id) => desk.withdraw('acme', id)],
  ])('%s: does not run', async (code, outcome_status, end) => {
    const { gate, desk, clock, records } = setUp();
    const effect = vi.fn();
    const running = failure(gate.run(refund, effect));
    await end(desk, (await pending(desk)).id, clock);
    expect(await running).toMatchObject({ code });
    expect(effect).not.toHaveBeenCalled();
    expect((await records()).at(-1)).toMatchObject({
      event_type: 'agent.action.abandoned',
      outcome: { outcome_status, error_code: code },
    });
  });

  test('is withdrawn if the caller gives up', async () => {
    const { gate, desk } = setUp();
    const caller = new AbortController();
    const running = failure(gate.run({ ...refund, signal: caller.signal }, () => 1));
    await pending(desk);
    caller.abort();
    expect(await running).toMatchObject({ code: 'ABORTED' });
    expect(desk.list()[0]!.state).toBe('withdrawn');
  });

  test('does not run without a desk, or if the desk is away', async () => {
    expect(await failure(open({ policy: ask }).gate.run(refund, () => 1))).toMatchObject({
      code: 'DESK_UNAVAILABLE',
    });
    const desk = createMemoryDesk();
    vi.spyOn(desk, 'request').mockRejectedValue(
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    );
    expect(await failure(open({ policy: ask, desk }).gate.run(refund, () => 1))).toMatchObject({
      code: 'DESK_UNAVAILABLE',
    });
  });

  test('does not run if the claim is refused or its answer is lost', async () => {
    const { gate, desk } = setUp();
    const effect = vi.fn();
    const claim = vi.spyOn(desk, 'claim').mockRejectedValue(new Error('connection reset'));
    const running = failure(gate.run(refund, effect));
    await desk.decide('acme', (await pending(desk)).id, { subject: 'eve', verdict: 'grant' });
    expect(await running).toMatchObject({ code: 'DESK_UNAVAILABLE' });
    expect(claim).toHaveBeenCalledTimes(1);
    expect(effect).not.toHaveBeenCalled();
  });

  test('hides named and secret arguments from record and approver, and opens them at the claim', async () => {
    const { gate, desk, records } = setUp();
    const args = { amount: 40, card: '4111 1111 1111 1111', note: { password: 'hunter2', text: 'ok' } };
    const running = gate.run({ ...refund, arguments: args, hidden: ['/card'] }, (given) => given);
    const approval = await pending(desk);
    expect(approval.document.arguments).toEqual({ amount: 40, note: { text: 'ok' } });
    expect(Object.keys(approval.document.hidden!).sort()).toEqual(['/card', '/note/password']);
    await desk.decide('acme', approval.id, { subject: 'eve', verdict: 'grant' });
    expect(await running).toEqual(args);
    const text = JSON.stringify([await records(), approval]);
    expect(text).not.toContain('4111 1111');
    expect(text).not.toContain('hunter2');
  });
});

// A proxy, a captive portal or a desk with a fault can answer 200. Only the desk's own answer about this document permits the effect.
describe('an answer that is not about this approval permits nothing', () => {
  type Desk = ReturnType<typeof createMemoryDesk>;
  const granting = (over: (desk: Desk) => Partial<Desk>) => {
    const desk = createMemoryDesk({ requester: 'service:refunds' });
    const real = {
      request: (...args: Parameters<Desk['request']>) => desk.request(...args),
      decided: async (...[tenant, id]: Parameters<Desk['decided']>) => {
        await desk.decide(tenant, id, { subject: 'eve', verdict: 'grant' });
        return desk.list()[0]!;
      },
      claim: (...args: Parameters<Desk['claim']>) => desk.claim(...args),
      withdraw: (...args: Parameters<Desk['withdraw']>) => desk.withdraw(...args),
    };
    return { ...real, ...over(desk) } as Desk;
  };

  test.each<[what: string, code: GateErrorCode, over: (desk: Desk) => object]>([
    [
      'a claim that is answered with an empty object',
      'DESK_UNAVAILABLE',
      () => ({ claim: async () => ({}) }),
    ],
    ['a claim that is answered with nothing', 'DESK_UNAVAILABLE', () => ({ claim: async () => undefined })],
    [
      'a claim that is answered with a denied approval',
      'DESK_UNAVAILABLE',
      (desk) => ({ claim: async () => ({ ...desk.list()[0]!, state: 'denied' }) }),
    ],
    [
      'a claim of another approval',
      'DESK_UNAVAILABLE',
      (desk) => ({ claim: async () => ({ ...desk.list()[0]!, state: 'claimed', id: 'another' }) }),
    ],
    [
      'a grant of another document',
      'DESK_REFUSED',
      (desk) => ({
        decided: async () => ({ ...desk.list()[0]!, state: 'granted', document_digest: 'another' }),
      }),
    ],
  ])('%s', async (_, code, over) => {
    const { gate, records } = open({ policy: ask, desk: granting(over as never) });
    const effect = vi.fn();
    expect(await failure(gate.run(refund, effect))).toMatchObject({ code });
    expect(effect).not.toHaveBeenCalled();
    expect((await records()).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
  });

  test.each(['request', 'claim'] as const)('a %s that is never answered', async (method) => {
    const clock = new FakeClock();
    const hang = vi.fn(() => new Promise<never>(() => undefined));
    const { gate } = open({ policy: ask, clock, desk: granting(() => ({ [method]: hang })) });
    const effect = vi.fn();
    const running = failure(gate.run(refund, effect));
    await vi.waitFor(() => expect(hang).toHaveBeenCalled());
    await clock.advance(10_000);
    expect(await running).toMatchObject({ code: 'DESK_UNAVAILABLE' });
    expect(effect).not.toHaveBeenCalled();
  });

  test('the same desk without a fault', async () => {
    const { gate } = open({ policy: ask, desk: granting(() => ({})) });
    expect(await gate.run(refund, () => 'ran')).toBe('ran');
  });
});
