import { expect, test } from 'vitest';
import { ManualClock } from '../src/clock.ts';

test('the clock moves only when the test moves it, forwards or backwards', () => {
  const clock = new ManualClock(1_000);
  expect([clock.now(), clock.now()]).toEqual([1_000, 1_000]);
  clock.advance(250);
  expect(clock.now()).toBe(1_250);
  clock.advance(-500);
  expect(clock.now()).toBe(750);
});

test('a duration that is not a number is refused: every later time would be NaN', () => {
  expect(() => new ManualClock().advance(Number.NaN)).toThrow(RangeError);
});
