import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withTimeout } from '../../src/timing/timeout.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const late = () => new Error('too late');

test('a promise that settles in time decides, and the timer is cleared', async () => {
  expect(await withTimeout(Promise.resolve(7), 1_000, late)).toBe(7);
  await expect(withTimeout(Promise.reject(new Error('failed')), 1_000, late)).rejects.toThrow('failed');
  expect(vi.getTimerCount()).toBe(0);
});

test('a promise that takes longer is given up, and its later error is ignored', async () => {
  let fail!: (error: Error) => void;
  const slow = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const waiting = expect(withTimeout(slow, 1_000, late)).rejects.toThrow('too late');
  await vi.advanceTimersByTimeAsync(1_000);
  await waiting;
  fail(new Error('failed after all'));
  await vi.advanceTimersByTimeAsync(0);
});
