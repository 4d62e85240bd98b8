import { describe, expect, it } from 'vitest';
import { BodyBudget, costOfEvents } from '../../../../src/http/kernel/limits/body-budget.ts';

const KiB = 1024;
const base = 64 * KiB;

function overloads(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'OVERLOADED', status: 503, headers: { 'retry-after': '1' } });
    return true;
  }
}

describe('the budget of bodies', () => {
  it('gives a key alone half of it, in many requests, or all of it in one', () => {
    const budget = new BodyBudget(1_024 * KiB);
    const leases = Array.from({ length: 8 }, () => budget.open('a'));
    expect(budget.held).toBe(8 * base);
    expect(overloads(() => budget.open('a'))).toBe(true);
    for (const lease of leases) lease.release();
    expect(budget.held).toBe(0);
    const one = budget.open('a');
    one.hold(1_024 * KiB - base);
    expect(overloads(() => budget.open('b'))).toBe(true);
    one.release();
    budget.open('b').release();
  });

  it('always leaves room for another key', () => {
    const budget = new BodyBudget(1_024 * KiB);
    for (const key of ['a', 'b', 'c', 'd']) {
      budget.open(key);
      while (!overloads(() => budget.open(key)));
    }
    expect(() => budget.open('e')).not.toThrow();
    expect(budget.held).toBeLessThanOrEqual(1_024 * KiB);
  });

  it('changes nothing for a request that it refuses, and counts a release once', () => {
    const budget = new BodyBudget(256 * KiB);
    const lease = budget.open('a');
    const other = budget.open('b');
    expect(overloads(() => lease.hold(192 * KiB))).toBe(true);
    expect(budget.held).toBe(2 * base);
    lease.release();
    lease.release();
    lease.hold(64 * KiB);
    expect(budget.held).toBe(base);
    other.release();
    expect(budget.held).toBe(0);
  });

  it('says of a batch that can never fit that it is too large', () => {
    const lease = new BodyBudget(256 * KiB).open('a');
    expect(() => lease.hold(256 * KiB)).toThrow(expect.objectContaining({ code: 'TOO_LARGE', status: 413 }));
  });
});

it('the cost of events is at least what V8 needs for them', () => {
  const text = `[${'{},'.repeat(100_000)}{}]`;
  expect(costOfEvents(Buffer.from(text))).toBeGreaterThan(100_000 * 64);
});
