import { expect, test } from 'vitest';
import { CircuitBreaker } from '../../src/llm-router/circuit-breaker.ts';
import { TestClock } from '../platform-parts.ts';

function opened() {
  const clock = new TestClock();
  const breaker = new CircuitBreaker({ failures: 3, openMs: 1_000, probes: 1 }, clock);
  for (const expected of [false, false, true]) {
    expect(breaker.admit()).toBe(true);
    expect(breaker.failed()).toBe(expected);
  }
  return { clock, breaker };
}

test('failures in a row open it; a success between them does not', () => {
  const breaker = new CircuitBreaker({ failures: 2, openMs: 1_000, probes: 1 }, new TestClock());
  breaker.failed();
  expect(breaker.succeeded()).toBe(false);
  expect(breaker.failed()).toBe(false);
  expect(breaker.state).toBe('closed');
});

test('open, it refuses; after the pause it permits one probe at a time', () => {
  const { clock, breaker } = opened();
  expect(breaker.admit()).toBe(false);
  clock.advance(999);
  expect(breaker.state).toBe('open');
  clock.advance(1);
  expect(breaker.state).toBe('half-open');
  expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
});

test('a probe that succeeds closes it', () => {
  const { clock, breaker } = opened();
  clock.advance(1_000);
  breaker.admit();
  expect(breaker.succeeded()).toBe(true);
  expect(breaker.state).toBe('closed');
  expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
});

test('a probe that fails opens it for another pause', () => {
  const { clock, breaker } = opened();
  clock.advance(1_000);
  breaker.admit();
  expect(breaker.failed()).toBe(true);
  expect(breaker.admit()).toBe(false);
  clock.advance(1_000);
  expect(breaker.admit()).toBe(true);
});

test('a call that began before it opened and fails later does not open it again', () => {
  const { breaker } = opened();
  expect(breaker.failed()).toBe(false);
  expect(breaker.state).toBe('open');
});

test('a clock that is set back does not keep it open for longer than the pause', () => {
  let now = 100_000_000;
  const breaker = new CircuitBreaker({ failures: 1, openMs: 30_000, probes: 1 }, { now: () => now });
  breaker.failed();
  now -= 24 * 3_600_000;
  expect(breaker.state).toBe('open');
  now += 30_000;
  expect(breaker.state).toBe('half-open');
});
