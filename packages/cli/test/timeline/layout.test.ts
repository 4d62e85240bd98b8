import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth } from '../../src/terminal/printable.ts';
import { wrap } from '../../src/timeline/layout.ts';

test('a text is broken between words, and inside a word that is wider than a line', () => {
  expect(wrap('the evidence shows plant control', 20)).toEqual(['the evidence shows', 'plant control']);
  expect(wrap(`see ${'x'.repeat(45)} end`, 20)).toEqual(['see', 'x'.repeat(20), 'x'.repeat(20), 'xxxxx end']);
  expect(wrap('', 20)).toEqual(['']);
});

test('no line is wider than it may be, and no text is lost', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.integer({ min: 40, max: 90 }),
      (text, width) => {
        for (const line of wrap(text, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z ]{0,300}$/), (text) => {
      expect(wrap(text, 30).join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }),
  );
});

test('a text of another party can not begin a line of its own', () => {
  expect(wrap('fine\nMissing      nothing', 80)).toEqual(['fine\\u{a}Missing      nothing']);
});
