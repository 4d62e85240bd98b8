import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressesIn } from '../../src/search/addresses.ts';
import { fold, wordsOf } from '../../src/search/tokens.ts';

test.each([
  ['maria.lopez+audit@mail.example.com', ['maria', 'lopez', 'audit', 'mail', 'example', 'com']],
  ['/var/log/app-1/error.log', ['var', 'log', 'app', '1', 'error', 'log']],
  ['inv_2031-A', ['inv', '2031', 'a']],
  ['019cb000-0000-7000-8000-00000000abCD', ['019cb000', '0000', '7000', '8000', '00000000abcd']],
  ['Straße STRASSE STRAẞE', ['strasse', 'strasse', 'strasse']],
  ['ＡＢＣ ① ﬁn', ['abc', '1', 'fin']],
  ['ΟΔΟΣ οδός', ['οδοσ', 'οδόσ']],
  ['東京タワーへ行く', ['東', '京', 'タ', 'ワ', 'ー', 'へ', '行', 'く']],
  ['Привет, мир!', ['привет', 'мир']],
  ['', []],
  ['--- !!', []],
])('the words of %s', (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test('composed and decomposed letters are the same word', () => {
  expect(wordsOf('Cafe\u0301')).toEqual(wordsOf('CAFÉ'));
});

test('a word is cut after 64 characters, never within one', () => {
  expect(wordsOf('x'.repeat(200))).toEqual(['x'.repeat(64)]);
  expect(wordsOf('𝒳'.repeat(10))).toEqual(['x'.repeat(10)]);
  expect(wordsOf('𐐷'.repeat(70))).toEqual([fold('𐐷').repeat(64)]);
});

test('words are found again when they are searched, in any case and between any separators', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      (a, b) => {
        const words = [...wordsOf(a), ...wordsOf(b)];
        expect(wordsOf(`${a} ${b}`)).toEqual(words);
        for (const word of words) expect(wordsOf(word)).toEqual([word]);
      },
    ),
  );
});

test.each([
  ['10.1.2.3', ['10.1.2.3']],
  ['from 10.1.2.3:8080 to [2001:db8::1]:443.', ['10.1.2.3', '2001:db8::1']],
  ['Blocked 10.1.2.3.', ['10.1.2.3']],
  ['10.0.0.0/8', ['10.0.0.0']],
  ['::ffff:10.1.2.3', ['10.1.2.3']],
  ['12:30:45 1.2.3.4.5 300.1.2.3 aa:bb:cc:dd:ee:ff 1.2.3', []],
])('the addresses in %s', (text, addresses) => {
  const written = addressesIn(text).map(({ bytes }) => bytes.join('.'));
  expect(written).toEqual(addresses.flatMap((each) => addressesIn(each)).map(({ bytes }) => bytes.join('.')));
  expect(written.length).toBe(addresses.length);
});

test.each([['a'], ['1'], ['.'], ['1.'], [':'], ['a:'], ['é'], ['東'], ['\u0301'], ['-'], [' ']])(
  'a long text of "%s" takes no more steps per character than a short one',
  (unit) => {
    // 256 KiB is the most that an event has. With a step per pair of characters this would not end.
    const text = unit.repeat(256 * 1024);
    expect(wordsOf(text).length).toBeLessThanOrEqual(text.length);
    expect(addressesIn(text)).toEqual([]);
  },
);
