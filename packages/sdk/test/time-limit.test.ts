import { describe, expect, test } from 'vitest';
import { abortable, endsWithin } from '../src/time-limit.ts';
import { FakeClock } from './support/clock.ts';

const never = new Promise<never>(() => {});

describe('abortable', () => {
  test('gives the result of the work, or its error', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(1), signal)).toBe(1);
    await expect(abortable(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  test('rejects with the reason of the signal, also if it aborted before', async () => {
    const controller = new AbortController();
    const waiting = abortable(never, controller.signal);
    controller.abort(new Error('closed'));
    await expect(waiting).rejects.toThrow('closed');
    await expect(abortable(never, controller.signal)).rejects.toThrow('closed');
  });
});

describe('endsWithin', () => {
  test('is true for work that ends in time, and leaves no timer', async () => {
    const clock = new FakeClock();
    expect(await endsWithin(clock, Promise.resolve(), 100)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('is false for work that takes longer', async () => {
    const clock = new FakeClock();
    const waiting = endsWithin(clock, never, 100);
    await clock.advance(100);
    expect(await waiting).toBe(false);
  });

  test('throws the error of the work', async () => {
    const clock = new FakeClock();
    await expect(endsWithin(clock, Promise.reject(new Error('no')), 100)).rejects.toThrow('no');
    expect(clock.pending).toBe(0);
  });
});
