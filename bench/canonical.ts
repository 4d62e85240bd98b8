import { canonicalize } from '@tallystick/event';
import library from 'canonicalize';
import { microsecondsPerCall } from './per-call.ts';
import type { Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';

/** Writes the RFC 8785 text of a 1 KB event, with sorted and unsorted members. Compared with the npm package `canonicalize`. */
export async function run(): Promise<Result[]> {
  const sorted = sampleEvent('tenant-1');
  const unsorted = reversed(sorted) as object;
  const integerKeys = { ...unsorted, metadata: { 10: 'a', 9: 'b' } };
  const took = microsecondsPerCall({
    sorted: () => canonicalize(sorted),
    unsorted: () => canonicalize(unsorted),
    integerKeys: () => canonicalize(integerKeys),
    library: () => library(unsorted),
    stringify: () => JSON.stringify(unsorted),
  });
  const beside = (name: 'sorted' | 'unsorted' | 'integerKeys', what: string, most = 0.75): Result => ({
    name: `canonical: ${what}`,
    value: Number(took[name].toFixed(2)),
    unit: 'µs',
    baseline: Number(took.library.toFixed(2)),
    ratio: Number((took[name] / took.library).toFixed(3)),
    goal: `ratio <= ${most} (npm canonicalize, same event)`,
    pass: took[name] <= most * took.library,
  });
  return [
    beside('sorted', 'members sorted already'),
    beside('unsorted', 'members unsorted'),
    // This path is slower because it is correct for every key. Such keys are rare.
    beside('integerKeys', 'with integer-like keys (slow path)', 1.5),
    {
      name: 'canonical: JSON.stringify, for scale',
      value: Number(took.stringify.toFixed(2)),
      unit: 'µs',
      baseline: null,
      ratio: null,
      goal: null,
      pass: null,
    },
  ];
}

/** The same value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
