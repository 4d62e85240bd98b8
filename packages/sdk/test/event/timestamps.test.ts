import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { AuditEventInput } from '../../src/index.ts';
import { createTestAudit } from '../../src/testing/index.ts';
import { someEvent } from '../support/events.ts';

type Time = AuditEventInput['timestamp'];

/** As Node.js has it from version 26 on. */
const temporal = (tag: string, text: string) => ({
  [Symbol.toStringTag]: `Temporal.${tag}`,
  epochMilliseconds: Date.parse('2026-03-01T12:00:00.123Z'),
  toString: () => text,
});

test.each<[unknown, string]>([
  [new Date('2026-03-01T12:00:00Z'), '2026-03-01T12:00:00.000Z'],
  [runInNewContext("new Date('2026-03-01T12:00:00Z')"), '2026-03-01T12:00:00.000Z'],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [1_772_366_400_000, '2026-03-01T12:00:00.000Z'],
  ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z'],
  ['2026-03-01T12:00:00.123456789Z', '2026-03-01T12:00:00.123456789Z'],
  ['2026-03-01T12:00:00+01:00', '2026-03-01T11:00:00Z'],
  ['2026-03-01T00:30:00.123456+05:45', '2026-02-28T18:45:00.123456Z'],
  ['2025-12-31T23:00:00.5-12:00', '2026-01-01T11:00:00.5Z'],
  ['2024-02-29T12:00:00-00:00', '2024-02-29T12:00:00Z'],
  [temporal('Instant', '2026-03-01T12:00:00.123456789Z'), '2026-03-01T12:00:00.123456789Z'],
  [temporal('ZonedDateTime', '2026-03-01T13:00:00.123+01:00[Europe/Berlin]'), '2026-03-01T12:00:00.123Z'],
])('%s is the time %s', (given, expected) => {
  const audit = createTestAudit({ clock: { now: () => Date.UTC(2026, 5, 1), schedule: () => () => {} } });
  expect(audit.emitter.emit(someEvent({ timestamp: given as Time })).state).toBe('buffered');
  expect(audit.events[0]?.timestamp).toBe(expected);
});

// Such values were passed to Date.parse, which guessed: an American date, the machine's zone, the next month.
describe('a time that is not one of the accepted forms refuses the event with a hint', () => {
  test.each<[unknown, string]>([
    ['03/04/2026', 'RFC 3339'],
    ['2026-03-01', 'RFC 3339'],
    ['March 1, 2026', 'RFC 3339'],
    ['2026', 'RFC 3339'],
    ['1772366400000', 'RFC 3339'],
    ['2026-03-01 12:00:00Z', 'RFC 3339'],
    ['2026-03-01T12:00Z', 'RFC 3339'],
    ['2026-03-01t12:00:00z', 'RFC 3339'],
    [' 2026-03-01T12:00:00Z', 'RFC 3339'],
    ['2026-02-30T12:00:00Z', 'the calendar has'],
    ['2025-02-29T12:00:00+01:00', 'the calendar has'],
    ['2026-13-01T12:00:00+01:00', 'the calendar has'],
    ['2026-03-01T24:00:00+01:00', 'the calendar has'],
    ['2026-03-01T12:00:00+25:00', 'RFC 3339'],
    ['2026-03-01T12:00:00+01:60', 'RFC 3339'],
    ['2026-03-01T12:00:00+0100', 'RFC 3339'],
    ['0000-03-01T12:00:00+01:00', 'RFC 3339'],
    ['0001-01-01T00:00:00+01:00', 'RFC 3339'],
    ['2026-03-01T12:00:00', 'must end with Z or an offset'],
    ['2026-03-01T12:00:00.123', 'must end with Z or an offset'],
    [1_772_366_400, 'multiply it by 1000'],
    [-1, 'multiply it by 1000'],
    [1_772_366_400_000_000, 'milliseconds'],
    [Number.NaN, 'milliseconds'],
    [new Date(Number.NaN), 'Date'],
    [new Date('+010000-01-01T00:00:00Z'), 'Date'],
    [true, 'Date'],
    [{}, 'Date'],
    [temporal('PlainDateTime', '2026-03-01T12:00:00'), 'Date'],
  ])('%s', (timestamp, hint) => {
    const errors: unknown[] = [];
    const audit = createTestAudit({ onError: (error) => errors.push(...error.violations) });
    expect(audit.emitter.emit(someEvent({ timestamp: timestamp as Time })).state).toBe('refused');
    expect(errors).toEqual([
      { code: 'TIMESTAMP_INVALID', pointer: '/timestamp', message: expect.stringContaining(hint) },
    ]);
  });

  test('also as the time of a proof', () => {
    const audit = createTestAudit({ onError: () => {} });
    const proof = { type: 'screenshot', url: 'https://x/', capturedAt: '03/04/2026' } as const;
    expect(audit.emitter.emit(someEvent({ proof })).state).toBe('refused');
  });
});
