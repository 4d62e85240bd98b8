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
