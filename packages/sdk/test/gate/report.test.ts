import { afterEach, describe, expect, test } from 'vitest';
import {
  createGate,
  createMemoryDesk,
  type GatedAction,
  type GateOptions,
  rulePolicy,
} from '../../src/gate/index.ts';
import { createAuditEmitter } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const hidingKey = 'k'.repeat(32);
const transport = memoryTransport();

/** A gate of a process of its own: the processes have the desk and the key of salts in common. */
function processWith(options: Partial<GateOptions> & Pick<GateOptions, 'ledger'>) {
  const audit = createAuditEmitter({ service: 'hook', transport, flushOnExit: false });
  closers.push(() => audit.close());
  return createGate({
    audit,
    policy: rulePolicy({
      name: 'p',
      version: '1',
      rules: [{ name: 'all', effect: 'allow', hidden: ['/pin'] }],
    }),
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'coder' },
    hidingKey,
    ...options,
  });
}

let calls = 0;
const call = (more: Partial<GatedAction<unknown>> = {}): GatedAction<unknown> => ({
  action: 'Bash',
  arguments: { command: 'ls', pin: '4711' },
  idempotencyKey: `call-${++calls}`,
  ...more,
});

describe('an action that one process admits and another reports', () => {
  test('is one story: the end names the intent of the first process', async () => {
    const ledger = createMemoryDesk();
    const action = call();
    const admitted = await processWith({ ledger }).admit(action);
    expect(admitted.arguments).toEqual({ command: 'ls', pin: '4711' });
    const state = await processWith({ ledger }).report(action, {
      status: 'success',
      result: 'a.txt',
      durationMs: 3,
    });
    expect(state).toBe('recorded');
    const completed = transport.events.find(
      ({ event_type, parent_id }) =>
        event_type === 'agent.action.completed' && parent_id === admitted.intentId,
    );
    expect(completed).toMatchObject({
      idempotency_key: action.idempotencyKey,
      context: { document_digest: admitted.documentDigest },
      outcome: {
        outcome_status: 'success',
        duration_ms: 3,
        result_digest: expect.stringMatching(/^sha256:/),
      },
    });
    expect(JSON.stringify(transport.events)).not.toContain('4711');
    expect(await processWith({ ledger }).report(action, { status: 'failure' })).toBe('reported_before');
  });

  test('runs once: a second admission is refused', async () => {
    const ledger = createMemoryDesk();
    const action = call();
    await processWith({ ledger }).admit(action);
    await expect(processWith({ ledger }).admit(action)).rejects.toMatchObject({ code: 'ALREADY_RUN' });
  });

  test('that ran with other arguments, or without an admission, is recorded as such', async () => {
    const ledger = createMemoryDesk();
    const action = call();
    const { intentId } = await processWith({ ledger }).admit(action);
    const changed = { ...action, arguments: { command: 'rm -r /', pin: '4711' } };
    expect(await processWith({ ledger }).report(changed, { status: 'success' })).toBe('changed');
    const stray = call();
    expect(await processWith({ ledger }).report(stray, { status: 'failure', errorCode: 'X' })).toBe(
      'not_admitted',
    );
    const ends = transport.events.filter(
      ({ idempotency_key: key }) => key === action.idempotencyKey || key === stray.idempotencyKey,
    );
    const unexplained = ends.filter(({ event_type }) => event_type === 'agent.action.completed');
    expect(unexplained).toHaveLength(2);
    for (const { parent_id } of unexplained) expect(parent_id).not.toBe(intentId);
  });

  test('needs a key, and a ledger that answers', async () => {
    const ledger = createMemoryDesk();
    const gate = processWith({ ledger });
    await expect(gate.admit(call({ idempotencyKey: undefined }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    const broken = { begin: () => Promise.reject(new Error('away')), finish: async () => {} };
    const failing = processWith({ ledger: broken });
    await expect(failing.report(call(), { status: 'success' })).rejects.toMatchObject({
      code: 'DESK_UNAVAILABLE',
    });
    await expect(failing.admit(call())).rejects.toMatchObject({ code: 'DESK_UNAVAILABLE' });
  });
});

describe('an effect states its end', () => {
  test('a returned failure, with a digest and members of its own', async () => {
    const gate = processWith({ ledger: createMemoryDesk() });
    const action = call();
    const digest = `sha256:${'0'.repeat(64)}`;
    const returned = await gate.run(action, (_, execution) => {
      execution.ended({
        status: 'failure',
        errorCode: 'TOOL_ERROR',
        resultDigest: digest,
        details: { result_bytes: 7 },
      });
      return 'passed on';
    });
    expect(returned).toBe('passed on');
    await Promise.all(closers.splice(0).map((close) => close()));
    expect(transport.events.at(-1)).toMatchObject({
      event_type: 'agent.action.completed',
      outcome: {
        outcome_status: 'failure',
        error_code: 'TOOL_ERROR',
        result_digest: digest,
        result_bytes: 7,
      },
    });
  });
});

describe('the policy says how an action is handled', () => {
  test('hidden arguments of the rule that matches, and whether it fails open', async () => {
    const audit = { emit: () => undefined, record: () => Promise.reject(new Error('away')) };
    const rules = [
      { name: 'read', when: { action: 'read' }, effect: 'allow', failOpen: true },
      { name: 'rest', effect: 'allow', hidden: ['/a'] },
    ] as const;
    const gate = processWith({
      ledger: undefined,
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
    const gate = processWith({ ledger: undefined, policy });
    await expect(gate.run({ action: 'a' }, () => 'ran')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('mistakes are named', () => {
    const policy = (rule: object) => () =>
      rulePolicy({ name: 'p', version: '1', rules: [{ name: 'r', ...rule } as never] });
    expect(policy({ effect: 'ask', failOpen: true })).toThrow('/rules/0/failOpen needs the effect allow');
    expect(policy({ effect: 'allow', hidden: ['card'] })).toThrow('/rules/0/hidden/0 must be a JSON pointer');
  });
});

test('a caller that gave up before the decision was chained gets no effect', async () => {
  const gate = processWith({ ledger: undefined });
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(gate.run({ action: 'a', signal }, () => 'ran')).rejects.toMatchObject({ code: 'ABORTED' });
});
