import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Violation } from '../../src/errors.ts';
import { eventShape } from '../../src/schema/event.ts';
import { soc } from '../../src/taxonomy/soc.ts';
import { checkShape } from '../../src/validation/check.ts';
import { fitsOf, hasCleanStrings, isWithinLimits } from '../../src/validation/fits.ts';
import { checkJsonLimits } from '../../src/validation/json-limits.ts';

// The quick check and the one that explains itself are two pieces of code with one job. If the quick one said yes where
// the other would say no, an invalid event would stay in the chain permanently.

const awkward = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue() },
  fc.constantFrom<unknown>(
    undefined,
    '',
    'x',
    '\0',
    '\ud800',
    'a'.repeat(513),
    Number.NaN,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    -0,
    {},
    [],
    null,
    true,
    'user',
    'info',
    '2026-02-30T00:00:00Z',
    '2024-02-29T23:59:59.999999999Z',
    '0001-01-01T00:00:00Z',
    '01903f5b-7f00-7abc-8def-0123456789ab',
    { type: 'hash' },
    { outcome_status: 'success', error_code: 7 },
    { version: '1.0', service: 's', operation: 'o', status: 'ok', payload: {} },
    ['a', 7],
    new Array(1_001).fill('e'),
  ),
);

const valid = {
  audit_id: '01903f5b-7f00-7abc-8def-0123456789ab',
  tenant_id: 'acme',
  timestamp: '2026-02-21T12:34:56.789Z',
  event_type: 'alert.classified',
  actor_type: 'agent',
  actor_id: 'a',
  source_service: 's',
};

/** Mostly right events, with a few members replaced, dropped or added. */
const almostEvents = fc
  .dictionary(
    fc.constantFrom(...Object.keys(eventShape.fields), 'constructor', '__proto__', 'extra'),
    awkward,
    { maxKeys: 4 },
  )
  .map((changes) => ({ ...valid, ...changes }));

function slowly(check: (found: Violation[]) => void): boolean {
  const found: Violation[] = [];
  check(found);
  return found.length === 0;
}

describe('the quick check gives the same answer as the one that explains itself', () => {
  test('for the shape of an event', () => {
    const seen = { fits: 0, not: 0 };
    fc.assert(
      fc.property(fc.oneof(almostEvents, awkward), (value) => {
        const fits = fitsOf(eventShape)(value);
        seen[fits ? 'fits' : 'not']++;
        expect(fits).toBe(slowly((found) => checkShape(value, eventShape, [], found)));
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.fits, seen.not)).toBeGreaterThan(50);
  });

  test('for the payloads of a taxonomy', () => {
    const { context } = soc.find('alert.classified')!.payload;
    const names = Object.keys((context as { fields: object }).fields);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'other'), awkward, { maxKeys: 5 }), (value) => {
        expect(fitsOf(context!)(value)).toBe(slowly((found) => checkShape(value, context!, [], found)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('for depth, members, numbers and strings', () => {
    const nested = (depth: number): unknown =>
      depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
    const wide = (keys: number) =>
      Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, at]));
    for (const value of [
      nested(31),
      nested(32),
      nested(33),
      nested(200),
      wide(2_000),
      wide(2_001),
      { a: wide(1_999) },
      { a: wide(2_000) },
    ]) {
      expect(isWithinLimits(value, false)).toBe(slowly((found) => checkJsonLimits(value, found)));
    }
    fc.assert(
      fc.property(fc.oneof(almostEvents, awkward), (value) => {
        expect(isWithinLimits(value, false)).toBe(slowly((found) => checkJsonLimits(value, found)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a text that is said to have clean strings has no string that is not', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
          fc.constantFrom('"\\u0000"', '"\\ud800"', '{"\\ud800":1}', '"\ud800"'),
        ),
        (text) => {
          if (!hasCleanStrings(text)) return;
          expect(isWithinLimits(JSON.parse(text), true)).toBe(isWithinLimits(JSON.parse(text), false));
        },
      ),
    );
    for (const text of ['"\\u0000"', '"\\ud800"', '"\ud800"']) expect(hasCleanStrings(text)).toBe(false);
  });
});
