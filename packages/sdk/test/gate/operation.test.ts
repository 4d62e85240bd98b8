import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemoryDesk } from '../../src/gate/index.ts';
import { FakeClock, turns } from '../support/clock.ts';
import { ask, closeGates, failure, open, refund } from './open-gate.ts';

afterEach(closeGates);

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

  test('a ledger that refuses the operation is told from one that does not answer', async () => {
    const effect = vi.fn(() => 1);
    const failing = (error: Error) => ({ begin: () => Promise.reject(error), finish: async () => undefined });
    const mismatch = Object.assign(new Error('edited'), {
      problem: { code: 'OPERATION_MISMATCH', status: 409 },
    });
    const refused = open({ ledger: failing(mismatch) });
    expect(await failure(refused.gate.run(keyed, effect))).toMatchObject({ code: 'DESK_REFUSED' });
    const away = open({ ledger: failing(new Error('socket hang up')) });
    expect(await failure(away.gate.run(keyed, effect))).toMatchObject({ code: 'DESK_UNAVAILABLE' });
    expect(effect).not.toHaveBeenCalled();
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

  test('a ledger and a handler that throw do not change the result of an effect that ran', async () => {
    const desk = createMemoryDesk();
    const boom = (): never => {
      throw new Error('boom');
    };
    const finish = vi.fn(boom);
    const ledger = { begin: desk.begin.bind(desk), finish };
    const onError = vi.fn(boom);
    expect(await open({ ledger, onError }).gate.run(keyed, () => 'ran')).toBe('ran');
    await turns();
    expect(finish).toHaveBeenCalledTimes(1);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('a ledger that throws before the effect: it does not run, and the record says so', async () => {
    const begin = () => {
      throw new Error('boom');
    };
    const { gate, records } = open({ ledger: { begin, finish: async () => undefined } });
    const effect = vi.fn();
    expect(await failure(gate.run(keyed, effect))).toMatchObject({ code: 'DESK_UNAVAILABLE' });
    expect(effect).not.toHaveBeenCalled();
    expect((await records()).at(-1)).toMatchObject({ event_type: 'agent.action.abandoned' });
  });

  test('a ledger that never answers: the effect does not run', async () => {
    const clock = new FakeClock();
    const begin = vi.fn(() => new Promise<never>(() => undefined));
    const { gate } = open({ clock, ledger: { begin, finish: async () => undefined } });
    const effect = vi.fn();
    const running = failure(gate.run(keyed, effect));
    await vi.waitFor(() => expect(begin).toHaveBeenCalled());
    await clock.advance(10_000);
    expect(await running).toMatchObject({ code: 'DESK_UNAVAILABLE' });
    expect(effect).not.toHaveBeenCalled();
  });
});
