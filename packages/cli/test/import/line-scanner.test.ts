import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineScanner } from '../../src/import/line-scanner.ts';
import { isFault } from '../../src/import/slice.ts';

function scan(text: string, chunkSize = 1_000) {
  const scanner = new LineScanner(20);
  const bytes = Buffer.from(text);
  const found = [];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    found.push(...scanner.scan(bytes.subarray(at, at + chunkSize)));
  }
  found.push(...scanner.end());
  return found.map((slice) =>
    isFault(slice) ? [slice.line, slice.fault] : [slice.line, Buffer.from(slice.bytes).toString()],
  );
}

test('a line is an event; line ends and empty lines are not', () => {
  expect(scan('{"a":1}\r\n\n  \n{"b":2}\n{"c":3}')).toEqual([
    [1, '{"a":1}'],
    [4, '{"b":2}'],
    [5, '{"c":3}'],
  ]);
});

test('a line that is too long is reported with its length, and the next one is read', () => {
  expect(scan(`${'x'.repeat(21)}\n${'y'.repeat(20)}`)).toEqual([
    [1, 'SOURCE_TOO_LARGE'],
    [2, 'y'.repeat(20)],
  ]);
});

test('chunk borders change nothing', () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\r', ' ', '"'), maxLength: 12 }));
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 9 }), (list, size) => {
      const text = list.join('\n');
      expect(scan(text, size)).toEqual(scan(text));
    }),
  );
});
