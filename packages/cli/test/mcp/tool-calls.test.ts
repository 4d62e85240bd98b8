import { type Gate, GateError, type StatedEnd } from '@tallystick/sdk/gate';
import { expect, test } from 'vitest';
import type { ToolCall } from '../../src/mcp/client-message.ts';
import { OpenRequests } from '../../src/mcp/open-requests.ts';
import { ToolCalls } from '../../src/mcp/tool-calls.ts';

/** A gate that permits every call, and whose calls of `hangs` time out as soon as the server has them. */
function gateOf(ends: Map<string, StatedEnd>): Gate {
  const run: Gate['run'] = async (action, effect) => {
    const ended = effect(action.arguments as never, {
      intentId: 'i',
      acknowledged: 'chained',
      signal: new AbortController().signal,
      cost: () => {},
      ended: (end) => void ends.set(String(action.context?.['jsonrpc.request.id']), end),
    });
    if (action.action !== 'hangs') return await ended;
    await Promise.resolve();
    void ended;
    throw new GateError('EFFECT_TIMED_OUT', 'hangs');
  };
  return { run } as Gate;
}

function open(max?: number) {
  const ends = new Map<string, StatedEnd>();
  const forwarded: string[] = [];
  const sent: object[] = [];
  const refused: string[] = [];
  const calls = new ToolCalls(
    {
      gate: gateOf(ends),
      serverName: 'shop',
      onBehalfOf: [],
      note: () => {},
      warn: () => {},
      onRefused: (_sender, reason) => void refused.push(reason),
    },
    new OpenRequests(max),
  );
  const port = {
    forward: async (text: string) => void forwarded.push(text),
    send: (message: object) => void sent.push(message),
  };
  const call = (id: number, name: string): ToolCall => ({
    id,
    name,
    arguments: {},
    progressToken: undefined,
    statesVersion: false,
    withArguments: () => String(id),
  });
  const run = (id: number, name: string) => calls.run(String(id), call(id, name), port);
  return { calls, run, ends, forwarded, sent, refused };
}

test('timed-out calls do not count towards the calls in flight, and the oldest end without an answer', async () => {
  const { calls, run, ends, forwarded, sent } = open();
  for (let id = 0; id < 1_001; id++) await run(id, 'hangs');
  const answered = run(2_000, 'echo');
  await Promise.resolve();
  calls.answered('2000', { end: { status: 'success' } });
  await answered;
  expect(forwarded).toHaveLength(1_002);
  expect(sent).toEqual([]);
  expect([...ends]).toEqual([
    ['0', { status: 'failure', errorCode: 'NO_ANSWER' }],
    ['2000', { status: 'success' }],
  ]);
  // The id of the oldest stays taken.
  await run(0, 'echo');
  expect(forwarded).toHaveLength(1_002);
  calls.answered('1', { end: { status: 'failure', errorCode: 'TOOL_ERROR' } });
  await Promise.resolve();
  expect(ends.get('1')).toEqual({ status: 'failure', errorCode: 'TOOL_ERROR' });
});

test('a server that answers nothing gets a limited number of requests', async () => {
  const { calls, run, refused } = open(2);
  expect(calls.otherRequest('1', 'ping')).toBeUndefined();
  await run(2, 'hangs');
  expect(calls.otherRequest('3', 'ping')).toBe('the server has not answered 2 requests');
  await run(4, 'hangs');
  expect(refused).toEqual(['the server has not answered 2 requests']);
  calls.answered('1', { end: {} });
  expect(calls.otherRequest('3', 'ping')).toBeUndefined();
});
