import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBuckets } from '../../../../src/http/kernel/limits/token-buckets.ts';

/** A bucket as one explains it: tokens that come in one after the other. */
class PlainBucket {
  tokens: number;
  at = 0;
  readonly rate: { readonly perSecond: number; readonly burst: number };
  constructor(rate: { readonly perSecond: number; readonly burst: number }) {
    this.rate = rate;
    this.tokens = rate.burst;
  }
  take(now: number): boolean {
    const { perSecond, burst } = this.rate;
    this.tokens = Math.min(burst, this.tokens + ((now - this.at) * perSecond) / 1_000);
    this.at = now;
    if (this.tokens < 1 - 1e-6) return false;
    this.tokens--;
    return true;
  }
}

describe('a token bucket', () => {
  test('allows what a slow, plain one allows, at any times', () => {
    const rates = fc.record({
      perSecond: fc.constantFrom(1 / 6, 0.5, 1, 3, 50, 1_000),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    // Multiples of 1/8 ms, so that both sums stay close.
    const pauses = fc.array(
      fc.integer({ min: 0, max: 40_000 }).map((eighths) => eighths / 8),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(rates, pauses, (rate, steps) => {
        let now = 1_000_000;
        const buckets = new TokenBuckets(() => now);
        const plain = new PlainBucket(rate);
        plain.at = now;
        for (const step of steps) {
          now += step;
          const taken = buckets.take('one', rate);
          expect(taken.allowed).toBe(plain.take(now));
          expect(taken.remaining).toBe(Math.floor(plain.tokens + 2e-6));
        }
      }),
    );
  });

  test('says exactly how long to wait', () => {
    let now = 5_000;
    const buckets = new TokenBuckets(() => now);
    const rate = { perSecond: 2, burst: 3 };
    for (let at = 0; at < 3; at++) expect(buckets.take('one', rate).allowed).toBe(true);
    const { allowed, waitMs, fullInMs, remaining } = buckets.take('one', rate);
    expect({ allowed, waitMs, fullInMs, remaining }).toEqual({
      allowed: false,
      waitMs: 500,
      fullInMs: 1_500,
      remaining: 0,
    });
    now += 499;
    expect(buckets.take('one', rate).allowed).toBe(false);
    now += 1;
    expect(buckets.take('one', rate).allowed).toBe(true);
  });

  test('is not blocked when the clock is set back', () => {
    let now = 1e12;
    const buckets = new TokenBuckets(() => now);
    const rate = { perSecond: 1, burst: 2 };
    buckets.take('one', rate);
    now -= 3_600_000;
    expect(buckets.take('one', rate).waitMs).toBeLessThanOrEqual(1_000);
    now += 1_000;
    expect(buckets.take('one', rate).allowed).toBe(true);
  });

  test('of another id is another bucket, and the least recently used one is forgotten first', () => {
    const buckets = new TokenBuckets(() => 0, 3);
    const rate = { perSecond: 1, burst: 1 };
    const take = (id: string) => buckets.take(id, rate).allowed;
    expect([take('a'), take('b'), take('c'), take('a')]).toEqual([true, true, true, false]);
    expect(take('d')).toBe(true);
    expect(buckets.size).toBe(3);
    // `a` was used after `b`.
    expect([take('a'), take('c'), take('b')]).toEqual([false, false, true]);
    for (let at = 0; at < 1_000; at++) take(`id ${at}`);
    expect(buckets.size).toBe(3);
  });
});
