import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatExportPosition, parseExportPosition } from '../../src/export/export-format.ts';
import { jsonLines } from '../../src/export/json-lines.ts';

test('a line is the record, in one line of characters that no terminal obeys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const record = { epoch: 2, sequence_number: 5, text };
      const line = jsonLines.line(record);
      expect(JSON.parse(line)).toEqual(record);
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(jsonLines.positionOf(line)).toEqual({ epoch: 2, sequence: 5 });
    }),
  );
});

test.each(['', '{', 'null', '[]', '{"epoch":0,"sequence_number":1}', '{"epoch":1,"sequence_number":-1}'])(
  '%j has no position',
  (line) => {
    expect(jsonLines.positionOf(line)).toBeUndefined();
  },
);

test('positions are read as they are written', () => {
  expect(parseExportPosition(formatExportPosition({ epoch: 1, sequence: 0 }))).toEqual({
    epoch: 1,
    sequence: 0,
  });
  for (const text of [
    '',
    '1',
    '0-1',
    '1-',
    '01-1',
    '1-01',
    '1--1',
    '1-1 ',
    '2147483648-1',
    '1-9007199254740993',
  ])
    expect(parseExportPosition(text)).toBeUndefined();
});
