import { afterEach, expect, test, vi } from 'vitest';
import { FakeClock, turns } from '../support/clock.ts';
import { closeGates, failure, open, refund } from './open-gate.ts';

afterEach(closeGates);

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

test('an effect states its end: a returned failure, with a digest and members of its own', async () => {
  const { gate, records } = open();
  const digest = `sha256:${'0'.repeat(64)}`;
  const returned = await gate.run(refund, (_, execution) => {
    execution.ended({
      status: 'failure',
      errorCode: 'TOOL_ERROR',
      resultDigest: digest,
      details: { result_bytes: 7 },
    });
    return 'passed on';
  });
  expect(returned).toBe('passed on');
  expect((await records()).at(-1)).toMatchObject({
    event_type: 'agent.action.completed',
    outcome: {
      outcome_status: 'failure',
      error_code: 'TOOL_ERROR',
      result_digest: digest,
      result_bytes: 7,
    },
  });
});

// The effect has run: a caller that is told that it failed may run it again.
test.each<[what: string, end: unknown, outcome: object]>([
  ['nothing', undefined, { outcome_status: 'success' }],
  ['an unknown status', { status: 'done', errorCode: 'X' }, { outcome_status: 'success', error_code: 'X' }],
  ['a code that is not a text', { status: 'failure', errorCode: 7 }, { outcome_status: 'failure' }],
  [
    'a code that is too long',
    { status: 'failure', errorCode: 'x'.repeat(500) },
    { outcome_status: 'failure', error_code: 'x'.repeat(256) },
  ],
  [
    'details that throw',
    {
      status: 'failure',
      get details() {
        throw new Error('details');
      },
    },
    { outcome_status: 'success' },
  ],
  [
    'details that are too large',
    { status: 'failure', errorCode: 'X', details: { text: 'x'.repeat(300_000) } },
    { outcome_status: 'failure', error_code: 'X', incomplete: true },
  ],
  [
    'details that are no outcome',
    { details: { error_message: 5 } },
    { outcome_status: 'success', incomplete: true },
  ],
])('an effect that states %s has its result, and its end is recorded', async (_, end, outcome) => {
  const { gate, records } = open();
  const result = await gate.run(refund, (_args, execution) => {
    execution.ended(end as never);
    return 'ran';
  });
  expect(result).toBe('ran');
  expect((await records()).slice(2)).toMatchObject([{ event_type: 'agent.action.completed', outcome }]);
});
