import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exceededBound } from '../../src/input/json-bounds.ts';

const depth = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
const values = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Object.values(value).reduce((sum: number, one) => sum + values(one), 0)
    : 1;

describe('the bounds of a JSON text', () => {
  it('are the depth of the parsed value, whatever strings contain', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(7), (text, maxDepth) => {
        const exceeded = exceededBound(Buffer.from(text), { maxDepth, maxValues: 1e9 });
        expect(exceeded === undefined).toBe(depth(JSON.parse(text)) <= maxDepth);
      }),
    );
  });

  it('never let more values through than they say', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4, noUnicodeString: false }),
        fc.integer({ min: 1, max: 40 }),
        (text, maxValues) => {
          const exceeded = exceededBound(Buffer.from(text), { maxDepth: 99, maxValues });
          if (exceeded === undefined) expect(values(JSON.parse(text))).toBeLessThanOrEqual(maxValues);
          else expect(exceeded).toContain(String(maxValues));
        },
      ),
    );
  });

  it('end the scan at the first byte beyond them', () => {
    const text = Buffer.alloc(1_000_000, '[');
    let reads = 0;
    const counted = new Proxy(text, {
      get(target, property) {
        if (typeof property === 'string' && /^\d/.test(property)) reads++;
        return Reflect.get(target, property, target);
      },
    });
    expect(exceededBound(counted, { maxDepth: 8, maxValues: 100 })).toContain('8 levels');
    expect(reads).toBe(9);
  });
});
