import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceTracker } from '../../src/delivery/sequence-tracker.ts';

test('every number is either delivered or declared as lost, exactly once, for any sequence of losses and declarations', () => {
  const step = fc.record({
    tenant: fc.constantFrom('a', 'b', 'c'),
    lost: fc.boolean(),
    declare: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const sequences = new SequenceTracker('p');
      const seen = new Map<string, number[]>();
      const take = (max: number) => {
        const gaps = sequences.takeGaps(max).map((gap) => ({ ...gap }));
        return () => {
          for (const gap of gaps) {
            for (let n = gap.from; n <= gap.to; n++) seen.get(gap.tenant_id)!.push(n);
          }
          sequences.confirmGaps(gaps.length);
        };
      };
      let pending: (() => void) | undefined;
      for (const { tenant, lost, declare } of steps) {
        const numbers = seen.get(tenant) ?? [];
        seen.set(tenant, numbers);
        const n = sequences.next(tenant);
        if (lost) sequences.markLost(tenant, n, 'buffer_full');
        else numbers.push(n);
        if (!declare) continue;
        // A batch takes the gaps; more events are lost before its response.
        if (pending !== undefined) {
          pending();
          pending = undefined;
        } else pending = take(2);
      }
      pending?.();
      while (sequences.undeclaredGaps > 0) take(3)();
      for (const { tenant_id, final_seq } of sequences.finalSequences()) {
        expect(seen.get(tenant_id)!.sort((x, y) => x - y)).toEqual(
          Array.from({ length: final_seq }, (_, i) => i + 1),
        );
      }
    }),
  );
});

test('consecutive losses are one gap', () => {
  const sequences = new SequenceTracker('p');
  for (let i = 0; i < 1_000; i++) {
    for (const tenant of ['a', 'b']) sequences.markLost(tenant, sequences.next(tenant), 'buffer_full');
  }
  expect(sequences.takeGaps(10)).toEqual([
    { tenant_id: 'a', from: 1, to: 1_000, reason: 'buffer_full' },
    { tenant_id: 'b', from: 1, to: 1_000, reason: 'buffer_full' },
  ]);
});

// Only the last sixteen gaps were compared. With more tenants each loss was a gap of its own, and while a buffer stayed full for
// hours, the gaps filled the memory.
test('consecutive losses are one gap, for any number of tenants', () => {
  const sequences = new SequenceTracker('p');
  const tenants = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
  for (let i = 0; i < 20; i++) {
    for (const tenant of tenants) sequences.markLost(tenant, sequences.next(tenant), 'buffer_full');
  }
  expect(sequences.undeclaredGaps).toBe(2_000);
  expect(sequences.takeGaps(1)).toEqual([{ tenant_id: 't0', from: 1, to: 20, reason: 'buffer_full' }]);
  // A gap that was taken does not grow any more; a later loss is another gap.
  sequences.markLost('t0', sequences.next('t0'), 'buffer_full');
  sequences.markLost('t1', sequences.next('t1'), 'buffer_full');
  expect(sequences.undeclaredGaps).toBe(2_001);
  sequences.confirmGaps(1);
  expect(sequences.takeGaps(3_000).filter(({ tenant_id }) => /^t[01]$/.test(tenant_id))).toEqual([
    { tenant_id: 't1', from: 1, to: 21, reason: 'buffer_full' },
    { tenant_id: 't0', from: 21, to: 21, reason: 'buffer_full' },
  ]);
});
