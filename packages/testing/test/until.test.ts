import { afterEach, expect, test, vi } from 'vitest';
import { until } from '../src/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('the first truthy value is the result, also from a promise', async () => {
  let looks = 0;
  expect(await until(() => (++looks === 30 ? 'there' : undefined))).toBe('there');
  expect(looks).toBe(30);
  expect(await until(async () => 7)).toBe(7);
});

test('the error of a time-out names the condition, and has the last error as its cause', async () => {
  const error = new Error('connection refused');
  const waiting = until(() => Promise.reject(error), { timeoutMs: 20, what: 'the server' });
  await expect(waiting).rejects.toMatchObject({
    message: 'the server did not come true within 20 ms',
    cause: error,
  });
});

test('an error that was followed by a falsy value is not the cause of a time-out', async () => {
  let looks = 0;
  const predicate = () => {
    if (looks++ === 0) throw new Error('early');
    return false;
  };
  await expect(until(predicate, { timeoutMs: 20 })).rejects.toMatchObject({ cause: undefined });
});

test('until waits in real time while a test uses fake timers', async () => {
  vi.useFakeTimers();
  await expect(until(() => false, { timeoutMs: 20 })).rejects.toThrow('within 20 ms');
});
