import { parseTimestamp } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedCopy, typePart, utcTimestamp } from '../../src/import/admissible.ts';

describe('times', () => {
  test.each([
    ['2025-03-14T09:26:53Z', '2025-03-14T09:26:53Z'],
    ['2025-03-14T09:26:53.589793Z', '2025-03-14T09:26:53.589793Z'],
    ['2025-03-14t09:26:53Z'.toUpperCase(), '2025-03-14T09:26:53Z'],
    ['2025-03-14 09:26:53,5+01:00', '2025-03-14T08:26:53.5Z'],
    ['2025-01-01T00:10:00-0130', '2025-01-01T01:40:00Z'],
    ['2024-12-31T23:59:59.123456789123Z', '2024-12-31T23:59:59.123456789Z'],
  ])('%s', (given, utc) => {
    expect(utcTimestamp(given, 'time')).toBe(utc);
  });

  test.each([
    '',
    '2025-03-14',
    '2025-03-14T09:26:53',
    '2025-13-14T09:26:53Z',
    '2025-03-14T09:26:60Z',
    'yesterday',
  ])('%j is none', (given) => {
    expect(() => utcTimestamp(given, 'time')).toThrow('time is not an RFC 3339 time');
  });

  test('any moment at any offset is the same moment in UTC', () => {
    const moment = fc.date({ min: new Date('1970-01-02'), max: new Date('2999-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offset) => {
        const sign = offset < 0 ? '-' : '+';
        const two = (n: number) => String(Math.trunc(Math.abs(n))).padStart(2, '0');
        const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const utc = utcTimestamp(`${local}${sign}${two(offset / 60)}:${two(offset % 60)}`, 'time');
        expect(parseTimestamp(utc)).toBe(date.getTime());
      }),
    );
  });
});

test('a part of an event type is always one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(typePart(name)).toMatch(/^[a-z][a-z0-9_-]{0,39}$/);
    }),
  );
});

test('a bounded copy is the value, or nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copied = boundedCopy(JSON.parse(JSON.stringify(value)));
      if (copied !== undefined) expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
    }),
  );
  expect(boundedCopy([[[[[[[1]]]]]]])).toBeUndefined();
  expect(boundedCopy(Array(200).fill(0))).toBeUndefined();
  expect(boundedCopy({ a: 'x'.repeat(10_000) })).toBeUndefined();
});
