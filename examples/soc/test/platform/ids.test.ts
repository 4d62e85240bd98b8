import { expect, test } from 'vitest';
import { createIds } from '../../src/platform/ids.ts';
import { seededRandom } from '../../src/platform/random.ts';

test('ids are UUIDv7 with the time of the clock, ascending, and no two are equal', () => {
  let now = 1_790_000_000_000;
  const ids = createIds({ now: () => now }, seededRandom(3));
  const made: string[] = [];
  for (let at = 0; at < 10_000; at++) {
    // The clock stands still for many ids, and goes back once.
    if (at % 6_000 === 5_000) now += at > 6_000 ? -10 : 3;
    made.push(ids.next());
  }
  expect(
    made.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toBe(true);
  expect(made).toEqual(made.toSorted());
  expect(new Set(made).size).toBe(made.length);
  expect(Number.parseInt(made[0]!.replaceAll('-', '').slice(0, 12), 16)).toBe(1_790_000_000_000);
});

test('ids of objects have a prefix, trace and span ids the lengths of W3C Trace Context', () => {
  const ids = createIds({ now: () => 1 }, seededRandom(3));
  expect(ids.next('alert')).toMatch(/^alert-[0-9a-f]{8}-/);
  expect(ids.traceId()).toMatch(/^[0-9a-f]{32}$/);
  expect(ids.spanId()).toMatch(/^[0-9a-f]{16}$/);
});
