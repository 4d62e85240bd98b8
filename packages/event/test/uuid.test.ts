import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

/** The generator's state is the process's, so each test takes a module of its own. */
async function fresh() {
  vi.resetModules();
  return import('../src/uuid.ts');
}

const v7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('uuidv7', () => {
  it('carries the time that it is given, to the millisecond', async () => {
    const { uuidv7, uuidv7Time } = await fresh();
    const times = [0, 1, 0xffff, 0x10000, 1_700_000_000_123, 2 ** 48 - 1];
    for (const ms of times) {
      const id = uuidv7(ms);
      expect(id).toMatch(v7);
      expect(uuidv7Time(id)).toBe(ms);
    }
  });

  it('rises strictly, also when the clock stands still or steps back a little', async () => {
    const { uuidv7 } = await fresh();
    let last = '';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 50 }), { maxLength: 50 }), (steps) => {
        let clock = 1_800_000_000_000;
        for (const step of steps) {
          clock += step;
          const id = uuidv7(clock);
          expect(id > last).toBe(true);
          last = id;
        }
      }),
    );
  });

  // A process whose clock had run hours ahead went on making ids of that time after it was set right, and the service
  // refused every event with AUDIT_ID_AHEAD until real time caught up.
  it('follows a clock that was far ahead and is set right', async () => {
    const { uuidv7, uuidv7Time } = await fresh();
    const now = 1_800_000_000_000;
    uuidv7(now + 3 * 60 * 60 * 1000);
    const corrected = uuidv7(now);
    expect(uuidv7Time(corrected)).toBe(now);
    expect(uuidv7(now - 1_000) > corrected).toBe(true);
  });

  it('borrows the next millisecond when one holds more than the counter can', async () => {
    const { uuidv7, uuidv7Time } = await fresh();
    const ms = 1_800_000_000_000;
    const ids = Array.from({ length: 10_000 }, () => uuidv7(ms));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(v7);
    const last = uuidv7Time(ids.at(-1)!)!;
    // At least 2,049 fit into the first millisecond and 4,096 into each one after it.
    expect(last).toBeGreaterThanOrEqual(ms + 2);
    expect(last).toBeLessThanOrEqual(ms + 3);
  });

  it('differs between processes that begin in the same millisecond', async () => {
    const first = (await fresh()).uuidv7(1_800_000_000_000);
    const second = (await fresh()).uuidv7(1_800_000_000_000);
    expect(first.slice(0, 14)).toBe(second.slice(0, 14));
    expect(first.slice(19)).not.toBe(second.slice(19));
  });
});

describe('uuidv7Time', () => {
  it.each([
    ['another version', '019cb000-0000-4000-8000-000000000001'],
    ['another variant', '019cb000-0000-7000-c000-000000000001'],
    ['another length', '019cb000-0000-7000-8000-00000000001'],
    ['nothing', ''],
  ])('does not know %s', async (_, text) => {
    expect((await fresh()).uuidv7Time(text)).toBeUndefined();
  });
});

describe('uuidv8FromDigest', () => {
  it('keeps 122 bits of the digest and sets version and variant', async () => {
    const { uuidv8FromDigest } = await fresh();
    expect(uuidv8FromDigest(new Uint8Array(32).fill(0xff))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff');
    expect(uuidv8FromDigest(new Uint8Array(16))).toBe('00000000-0000-8000-8000-000000000000');
    expect(uuidv8FromDigest(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(
      '00010203-0405-8607-8809-0a0b0c0d0e0f',
    );
    expect(() => uuidv8FromDigest(new Uint8Array(15))).toThrow(RangeError);
  });
});
