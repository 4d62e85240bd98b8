import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ordinals } from '../../src/import/ordinals.ts';

test('it counts as a map would', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 4_000, size: 'max' }), (lines) => {
      const ordinals = new Ordinals();
      const counts = new Map<number, number>();
      for (const line of lines) {
        const before = counts.get(line) ?? 0;
        counts.set(line, before + 1);
        expect(ordinals.next(createHash('sha256').update(String(line)).digest())).toBe(before);
      }
    }),
    { numRuns: 10 },
  );
});

test('it grows, and hashes that fall into one slot stay apart', () => {
  const ordinals = new Ordinals();
  const digest = (n: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(n, 0);
    return bytes;
  };
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 3_000; n++) expect(ordinals.next(digest(n))).toBe(round);
  }
});
