import { describe, expect, test } from 'vitest';
import { hoursOf, wholeHoursOf } from '../../../src/trail/stats/hours.ts';

test('a range is whole hours and the parts at its ends', () => {
  expect(hoursOf('2026-03-01T10:20:00Z', '2026-03-01T13:05:00Z')).toEqual({
    from: '2026-03-01T11:00:00Z',
    to: '2026-03-01T13:00:00Z',
    edges: [
      ['2026-03-01T10:20:00Z', '2026-03-01T11:00:00Z'],
      ['2026-03-01T13:00:00Z', '2026-03-01T13:05:00Z'],
    ],
  });
  expect(hoursOf(undefined, undefined)).toEqual({ from: '-infinity', to: 'infinity', edges: [] });
});

test('a range within one hour is its own part', () => {
  const within = ['2026-03-01T10:20:00Z', '2026-03-01T10:40:00Z'] as const;
  expect(hoursOf(...within)).toMatchObject({ edges: [within] });
});

// The hour after the year 9999 was written as a time that PostgreSQL refuses, and the request ended with 500.
describe('the last hour that can be written', () => {
  const last = '9999-12-31T23:59:59.999999999Z';
  test.each([
    [last, undefined, [[last, 'infinity']]],
    ['9999-12-31T23:30:00Z', last, [['9999-12-31T23:30:00Z', last]]],
    [
      '9999-12-31T22:30:00Z',
      last,
      [
        ['9999-12-31T22:30:00Z', '9999-12-31T23:00:00Z'],
        ['9999-12-31T23:00:00Z', last],
      ],
    ],
  ])('from %s to %s', (from, to, edges) => {
    expect(hoursOf(from, to).edges).toEqual(edges);
  });

  test('as a whole hour', () => {
    expect(wholeHoursOf(undefined, last)).toEqual({ from: '-infinity', to: 'infinity', edges: [] });
  });
});
