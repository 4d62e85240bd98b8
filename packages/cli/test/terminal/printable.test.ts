import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth, printable, printableJson, truncate } from '../../src/terminal/printable.ts';

describe('printable', () => {
  test.each([
    ['plain text, ünïcode 監査 🙂', 'plain text, ünïcode 監査 🙂'],
    ['\x1b[2J\x1b]0;title\x07', '\\u{1b}[2J\\u{1b}]0;title\\u{7}'],
    ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['user\u202egnp.exe', 'user\\u{202e}gnp.exe'],
    ['\u009b31m', '\\u{9b}31m'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['\u061cx\u2066y', '\\u{61c}x\\u{2066}y'],
    ['pay\u{e0070}\u{e0061}\u{e007f}', 'pay\\u{e0070}\\u{e0061}\\u{e007f}'],
    ['root\u3164\u00ad\u034f\u2800', 'root\\u{3164}\\u{ad}\\u{34f}\\u{2800}'],
    ['x\ufe0f\u{e0100}', 'x\\u{fe0f}\\u{e0100}'],
    ['\ud800', '\\u{d800}'],
  ])('%j', (given, shown) => {
    expect(printable(given)).toBe(shown);
  });

  test('leaves nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

test('JSON keeps its value, and has nothing that a terminal obeys or hides', () => {
  expect(printableJson('{"a":"\u009b31m\u{e0061}"}')).toBe('{"a":"\\u009b31m\\udb40\\udc61"}');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = printableJson(JSON.stringify(text));
      expect(JSON.parse(json)).toBe(text);
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test.each([
  ['abc', 3],
  ['監査', 4],
  ['e\u0301', 1],
  ['🙂', 2],
  ['', 0],
])('%j is %i columns wide', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('a cut text is never wider than the limit, and a text that fits is not cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '監', '🙂', 'é') }),
      fc.integer({ min: 1, max: 12 }),
      (text, width) => {
        const cut = truncate(text, width);
        expect(displayWidth(cut)).toBeLessThanOrEqual(width);
        if (displayWidth(text) <= width) expect(cut).toBe(text);
        else expect(cut.endsWith('…')).toBe(true);
      },
    ),
  );
});
