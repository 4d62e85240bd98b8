import { expect, test } from 'vitest';
import {
  age,
  pointInTime,
  portNumber,
  sequenceNumber,
  wholeNumber,
} from '../../../src/commands/options/option-values.ts';

test.each<[name: string, parse: (text: string) => number, text: string, value: number]>([
  ['a whole number', wholeNumber, '1', 1],
  ['a sequence number', sequenceNumber, '0', 0],
  ['a port', portNumber, '0', 0],
  ['a port', portNumber, '65535', 65_535],
  ['an age', age, '0m', 0],
  ['an age', age, '5m', 300_000],
  ['an age', age, '12h', 43_200_000],
  ['an age', age, '30d', 2_592_000_000],
  ['an age', age, '2w', 1_209_600_000],
])('%s: %s', (_, parse, text, value) => {
  expect(parse(text)).toBe(value);
});

test.each<[name: string, parse: (text: string) => number, texts: string[]]>([
  ['a whole number', wholeNumber, ['0', '-1', '1.5', 'x', '']],
  ['a sequence number', sequenceNumber, ['-1', 'x', '1e3', '']],
  ['a port', portNumber, ['65536', '-1', 'x', '']],
  ['an age', age, ['5', 'm', '1y', '-1d', '']],
])('not %s', (_, parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow('It must be');
});

test('a time is an age before now, the beginning of a day, or stays as it is written', () => {
  const now = Date.parse('2026-03-08T12:00:00.000Z');
  expect(pointInTime('7d', now)).toBe('2026-03-01T12:00:00.000Z');
  expect(pointInTime('-7d', now)).toBe('2026-03-01T12:00:00.000Z');
  expect(pointInTime('30s', now)).toBe('2026-03-08T11:59:30.000Z');
  expect(pointInTime('2026-03-01', now)).toBe('2026-03-01T00:00:00Z');
  expect(pointInTime('2026-03', now)).toBe('2026-03');
  // The service refused it, and named its own form alone: not the ages and days that the command takes.
  for (const text of ['yesterday', '--7d', '7', '1y', '']) {
    expect(() => pointInTime(text, now), text).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('7d or 2w') }),
    );
  }
});
