import type { AuditEvent } from '@tallystick/event';
import { agent, combineTaxonomies, soc } from '@tallystick/event';
import { defaultApprovalRules } from '@tallystick/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createGate,
  createMemoryDesk,
  functionPolicy,
  type GatedAction,
  GateError,
  type GateErrorCode,
  type GateOptions,
  type PolicyDecision,
  type PolicyRequest,
} from '../../src/gate/index.ts';
import { createAuditEmitter, type Transport } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { FakeClock, turns } from '../support/clock.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const policyOf = (decide: (request: PolicyRequest) => PolicyDecision | Promise<PolicyDecision>) =>
  functionPolicy({ name: 'refunds', version: '7', decide });
const allow = policyOf(() => ({ effect: 'allow', rule: 'small' }));
const ask = policyOf(() => ({ effect: 'ask', rule: 'large', approval: { approvals: 1 } }));

function open(options: Partial<GateOptions> = {}, transport: Transport = memoryTransport()) {
  const audit = createAuditEmitter({
    service: 'refunds',
    transport,
    flushOnExit: false,
    maxRetries: 0,
    deadlineMs: 50,
  });
  closers.push(() => audit.close({ deadlineMs: 50 }));
  const gate = createGate({
    audit,
    policy: allow,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    ...options,
  });
  /** The gate's records so far, after their delivery. */
  const records = async (): Promise<readonly AuditEvent[]> => {
    await audit.flush({ deadlineMs: 30_000 });
    return (transport as ReturnType<typeof memoryTransport>).events;
  };
  return { gate, audit, transport: transport as ReturnType<typeof memoryTransport>, records };
}

const refund: GatedAction<{ amount: number }> = {
  action: 'refund',
  arguments: { amount: 40 },
  target: { type: 'order', id: 'o-1' },
  onBehalfOf: [{ actorType: 'user', actorId: 'maria' }],
};
const failure = async (run: Promise<unknown>): Promise<GateError> => {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GateError);
  return error as GateError;
};
const types = (events: readonly AuditEvent[]) => events.map((event) => event.event_type);

describe('an allowed action', () => {
  test('is recorded before its effect, and the effect afterwards', async () => {
    const { gate, transport, records } = open();
    const result = await gate.run(refund, ({ amount }, execution) => {
      expect(types(transport.events)).toEqual(['agent.action.intended', 'agent.action.decided']);
      expect(execution.intentId).toBe(transport.events[0]!.audit_id);
      execution.cost(0.02);
      return { refunded: amount };
    });
    expect(result).toEqual({ refunded: 40 });
    const [intended, decided, completed] = await records();
    expect(
      transport.batches.filter((batch) => batch.events.length > 0).map((batch) => batch.events.length),
    ).toEqual([2, 1]);
    expect(intended).toMatchObject({
      event_type: 'agent.action.intended',
      tenant_id: 'acme',
      actor_type: 'agent',
      actor_id: 'refund-bot',
      on_behalf_of: [{ actor_type: 'user', actor_id: 'maria' }],
      target_type: 'order',
      target_id: 'o-1',
      context: { action: 'refund', arguments: { amount: 40 } },
      outcome: { outcome_status: 'pending' },
    });
    expect(decided).toMatchObject({
      event_type: 'agent.action.decided',
      parent_id: intended!.audit_id,
      decision: {
        effect: 'allow',
        rule: 'small',
        policy: { name: 'refunds', version: '7', digest: allow.digest },
      },
    });
    expect(completed).toMatchObject({
      event_type: 'agent.action.completed',
      parent_id: intended!.audit_id,
      outcome: {
        outcome_status: 'success',
        cost_usd: 0.02,
        result_digest: expect.stringMatching(/^sha256:/),
      },
    });
    const digests = [intended, decided, completed].map((event) => event!.context!.document_digest);
    expect(new Set(digests).size).toBe(1);
  });

  test('whose effect throws is recorded as failed, without the error message', async () => {
    const { gate, records } = open();
    const thrown = new RangeError('card 4111111111111111 was refused');
    await expect(gate.run(refund, () => Promise.reject(thrown))).rejects.toBe(thrown);
    const completed = (await records()).at(-1)!;
    expect(completed).toMatchObject({ outcome: { outcome_status: 'failure', error_code: 'RangeError' } });
    expect(JSON.stringify(completed)).not.toContain('4111111111111111');
  });

  test('waits for nothing after its effect', async () => {
    let hang = false;
    const transport = memoryTransport({
      intercept: () => (hang ? new Promise<never>(() => undefined) : undefined),
    });
    const { gate } = open({}, transport);
    const result = await gate.run(refund, () => {
      hang = true;
      return 'done';
    });
    expect(result).toBe('done');
  });

  test('its records fit the taxonomy agent; an emitter of another taxonomy is a mistake that is named', async () => {
    const transport = memoryTransport();
    const audit = createAuditEmitter({ service: 's', transport, taxonomy: agent, flushOnExit: false });
    closers.push(() => audit.close());
    await open({ audit }).gate.run({ ...refund, reason: 'late parcel', failOpen: true }, () => 1);
    await audit.flush();
    expect(transport.events).toHaveLength(3);

    const triage = combineTaxonomies(soc, agent);
    const shared = createAuditEmitter({ service: 's', transport, taxonomy: triage, flushOnExit: false });
    closers.push(() => shared.close());
    await open({ audit: shared }).gate.run(refund, () => 1);
    shared.emit('alert.classified', { tenantId: 'acme', actorType: 'agent', actorId: 'triage' });
    await shared.flush();
    expect(transport.events).toHaveLength(7);

    const other = createAuditEmitter({ service: 's', transport, taxonomy: soc, flushOnExit: false });
    closers.push(() => other.close());
    const error = await failure(open({ audit: other }).gate.run({ ...refund, failOpen: true }, () => 1));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

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

describe('without an acknowledgement', () => {
  const refusing = (answer: () => Promise<never>) => memoryTransport({ intercept: answer });

  test('the effect does not run, and the intent ends as abandoned once the service is back', async () => {
    let away = true;
    const transport = memoryTransport({
      intercept: () => {
        if (away) throw new Error('connection refused');
        return undefined;
      },
    });
    const audit = createAuditEmitter({
      service: 's',
      transport,
      retryDelaysMs: [1],
      probeIntervalMs: 1,
      flushOnExit: false,
    });
    closers.push(() => audit.close());
    const effect = vi.fn();
    const { gate } = open({ audit, acknowledgeWithinMs: 20 });
    expect(await failure(gate.run(refund, effect))).toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
    away = false;
    await audit.flush();
    expect(effect).not.toHaveBeenCalled();
    expect(types(transport.events)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
      'agent.action.abandoned',
    ]);
    expect(transport.events[2]).toMatchObject({ outcome: { error_code: 'NOT_ACKNOWLEDGED' } });
  });

  test('an action that fails open runs, and its intent says so', async () => {
    const { gate, transport } = open(
      { acknowledgeWithinMs: 5 },
      refusing(() => new Promise(() => undefined)),
    );
    expect(await gate.run({ ...refund, failOpen: true }, () => 'ran')).toBe('ran');
    expect(transport.batches[0]!.events[0]).toContain('"fail_open":true');
  });

  test('an action that fails open does not run if the service refused its intent', async () => {
    const refused = { status: 'rejected', error: { code: 'FIELD_UNKNOWN', message: 'no' } } as const;
    const transport = memoryTransport({ intercept: (batch) => batch.events.map(() => refused) });
    const { gate } = open({}, transport);
    const effect = vi.fn();
    expect(await failure(gate.run({ ...refund, failOpen: true }, effect))).toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    });
    expect(effect).not.toHaveBeenCalled();
  });

  test('a queue that accepted the events is no acknowledgement', async () => {
    const transport = memoryTransport({
      intercept: (batch) =>
        batch.events.map((text) => ({
          status: 'accepted',
          audit_id: (JSON.parse(text) as AuditEvent).audit_id,
        })),
    });
    expect(await failure(open({}, transport).gate.run(refund, () => 1))).toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    });
  });
});

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

describe('an action with an idempotency key', () => {
  const keyed = { ...refund, idempotencyKey: 'refund-o-1' };

  test('runs once, however often and from how many gates it is called', async () => {
    const desk = createMemoryDesk();
    const effect = vi.fn(() => ({ ok: true }));
    const gates = [open({ ledger: desk }), open({ ledger: desk })];
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) =>
        gates[index % 2]!.gate.run({ ...keyed, keepResult: true }, effect),
      ),
    );
    expect(effect).toHaveBeenCalledTimes(1);
    // A call that comes while the first one runs is told so. Every later call gets the first result.
    for (const result of results) {
      if (result.status === 'fulfilled') expect(result.value).toEqual({ ok: true });
      else expect(result.reason).toMatchObject({ code: 'ALREADY_RUN' });
    }
    expect(await gates[0]!.gate.run({ ...keyed, keepResult: true }, effect)).toEqual({ ok: true });
    expect(effect).toHaveBeenCalledTimes(1);
  });

  test('a retry without a kept result is told how the first one ended', async () => {
    const desk = createMemoryDesk();
    const { gate, records } = open({ ledger: desk });
    await gate.run(keyed, () => 1);
    const error = await failure(gate.run(keyed, () => 1));
    expect(error).toMatchObject({ code: 'ALREADY_RUN', outcome: { status: 'success' } });
    expect((await records()).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
  });

  test('a process that died in its effect leaves the outcome unknown, and the effect never runs again', async () => {
    const desk = createMemoryDesk();
    const effect = vi.fn(() => new Promise<never>(() => undefined));
    void open({ ledger: desk })
      .gate.run(keyed, effect)
      .catch(() => undefined);
    await vi.waitFor(() => expect(effect).toHaveBeenCalledTimes(1));
    const error = await failure(open({ ledger: desk }).gate.run(keyed, effect));
    expect(error).toMatchObject({ code: 'ALREADY_RUN', outcome: undefined });
    expect(error.message).toContain('has not reported its end');
    expect(effect).toHaveBeenCalledTimes(1);
  });

  test('the same key for other arguments is refused', async () => {
    const { gate } = open({ ledger: createMemoryDesk() });
    await gate.run(keyed, () => 1);
    expect(await failure(gate.run({ ...keyed, arguments: { amount: 41 } }, () => 1))).toMatchObject({
      code: 'KEY_REUSED',
    });
  });

  test('needs a ledger', async () => {
    expect(await failure(open().gate.run(keyed, () => 1))).toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('a retry in another process meets the first approval, also with hidden arguments', async () => {
    const desk = createMemoryDesk({ requester: 'service:refunds' });
    const options = { policy: ask, desk, ledger: desk, hidingKey: 'k'.repeat(32) };
    const action = { ...keyed, hidden: ['/amount'] };
    const caller = new AbortController();
    void open(options)
      .gate.run({ ...action, signal: caller.signal }, () => 1)
      .catch(() => undefined);
    const second = open(options).gate.run(action, () => 2);
    await vi.waitFor(() => expect(desk.list()).toHaveLength(1));
    await turns();
    await desk.decide('acme', desk.list()[0]!.id, { subject: 'eve', verdict: 'grant' });
    const settled = await Promise.allSettled([second]);
    expect(desk.list()).toHaveLength(1);
    expect(['fulfilled', 'rejected']).toContain(settled[0]!.status);
    expect(desk.list()[0]!.state).toBe('claimed');
  });
});

test('an effect that takes too long counts as timed out, and a further record says how it ended', async () => {
  const clock = new FakeClock();
  const { gate, audit, transport } = open({ clock, effectTimeoutMs: 1_000 });
  let end: (value: string) => void = () => undefined;
  const started = vi.fn();
  const running = failure(
    gate.run(refund, (_args, { signal }) => {
      started(signal);
      return new Promise<string>((resolve) => {
        end = resolve;
      });
    }),
  );
  await vi.waitFor(() => expect(started).toHaveBeenCalled());
  await clock.advance(1_000);
  expect(await running).toMatchObject({ code: 'EFFECT_TIMED_OUT' });
  expect(started.mock.calls[0]![0].aborted).toBe(true);
  end('late');
  await turns();
  await audit.flush();
  expect(transport.events.slice(2)).toMatchObject([
    { event_type: 'agent.action.completed', outcome: { outcome_status: 'timed_out' } },
    { event_type: 'agent.action.completed', context: { late: true }, outcome: { outcome_status: 'success' } },
  ]);
});

test('a thousand parallel calls of one tool each have their own intent, decision and end', async () => {
  const { gate, records } = open({ acknowledgeWithinMs: 60_000 });
  const refundTool = gate.wrap('refund', async ({ amount }: { amount: number }) => amount);
  const results = await Promise.all(Array.from({ length: 1_000 }, (_, amount) => refundTool({ amount })));
  expect(results).toEqual(Array.from({ length: 1_000 }, (_, amount) => amount));
  const events = await records();
  expect(events).toHaveLength(3_000);
  const ends = events.filter(({ event_type }) => event_type === 'agent.action.completed');
  expect(new Set(ends.map(({ parent_id }) => parent_id)).size).toBe(1_000);
});

test('wrap passes further arguments on, and describes each call', async () => {
  const { gate, records } = open();
  const tool = gate.wrap(
    'refund',
    (args: { order: string }, options: { user: string }) => `${args.order} ${options.user}`,
    (args, options) => ({
      target: { type: 'order', id: args.order },
      onBehalfOf: [{ actorType: 'user', actorId: options.user }],
    }),
  );
  expect(await tool({ order: 'o-9' }, { user: 'tom' })).toBe('o-9 tom');
  expect((await records())[0]).toMatchObject({ target_id: 'o-9', on_behalf_of: [{ actor_id: 'tom' }] });
});

test.each<[string, Partial<GateOptions>]>([
  ['a time limit of zero', { policyTimeoutMs: 0 }],
  ['a time limit that is not a number', { effectTimeoutMs: Number.NaN }],
  ['a short hiding key', { hidingKey: 'short' }],
])('%s is refused at once', (_name, options) => {
  expect(() => open(options)).toThrow(GateError);
});

test.each<[string, Partial<GatedAction>]>([
  ['no name', { action: '' }],
  ['no tenant', { tenantId: '' }],
])('an action with %s is refused', async (_name, over) => {
  expect(
    await failure(open({ tenantId: undefined }).gate.run({ ...refund, ...over } as GatedAction, () => 1)),
  ).toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
