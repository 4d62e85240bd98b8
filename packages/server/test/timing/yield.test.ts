import { expect, test } from 'vitest';
import { yieldEvery } from '../../src/timing/yield.ts';

test('every third call waits for a turn of the event loop, and no other', async () => {
  const turn = yieldEvery(3);
  const calls = Array.from({ length: 7 }, () => turn());
  expect(calls.map((call) => call !== undefined)).toEqual([false, false, true, false, false, true, false]);
  let immediates = 0;
  setImmediate(() => immediates++);
  await yieldEvery(1)();
  expect(immediates).toBe(1);
});
