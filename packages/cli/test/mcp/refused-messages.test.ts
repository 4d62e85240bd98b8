import { afterEach, expect, test, vi } from 'vitest';
import { RefusedMessages } from '../../src/mcp/refused-messages.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('the first message is recorded at once, and those of an interval together', () => {
  vi.useFakeTimers();
  const contexts: object[] = [];
  const refused = new RefusedMessages({
    emit: ({ context }) => void contexts.push(context),
    intervalMs: 1_000,
  });
  for (let count = 0; count < 10_000; count++) refused.add('client', count === 7 ? 'b' : 'a');
  const first = { sender: 'client', refused: [{ reason: 'a', count: 1 }] };
  expect(contexts).toEqual([first]);
  vi.advanceTimersByTime(1_000);
  const rest = {
    sender: 'client',
    refused: [
      { reason: 'a', count: 9_998 },
      { reason: 'b', count: 1 },
    ],
  };
  expect(contexts).toEqual([first, rest]);
  refused.add('server', 'c');
  expect(contexts).toHaveLength(2);
  refused.flush();
  expect(contexts[2]).toEqual({ sender: 'server', refused: [{ reason: 'c', count: 1 }] });
  refused.flush();
  expect(contexts).toHaveLength(3);
  expect(vi.getTimerCount()).toBe(0);
  refused.add('client', 'a');
  expect(contexts).toHaveLength(4);
});
