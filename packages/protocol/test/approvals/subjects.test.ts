import { describe, expect, test } from 'vitest';
import { isPlainName, mayBeOnePerson } from '../../src/approvals/subjects.ts';

// Separation of duties compared exact texts: a person whose keys had the subjects `bob` and `bob ` granted their own request.
describe('one person', () => {
  test.each([
    ['bob', 'bob '],
    ['bob', ' bob'],
    ['Bob', 'bob'],
    ['jos\u00e9', 'jose\u0301'],
    ['b x', 'b\u00a0x'],
    ['b x', 'b  x'],
    ['bob', '\uff42ob'],
    ['bob', 'b\u034fob'],
    ['bob', 'bob\u3164'],
    ['bob', 'bob\ufe0f'],
    ['bob', 'bo\u00adb'],
  ])('%j may be %j', (one, other) => {
    expect(mayBeOnePerson(one, other)).toBe(true);
    expect(isPlainName(one) && isPlainName(other) && one.toLowerCase() === other.toLowerCase()).toBe(
      one === 'Bob',
    );
  });

  test.each([
    ['bob', 'rob'],
    ['service:refunds', 'service:refunds2'],
    ['https://id.example.com#1', 'https://id.example.com#2'],
    ['', ' '],
    ['\u200b', '\u200c'],
  ])('%j is not %j', (one, other) => {
    expect(mayBeOnePerson(one, other)).toBe(false);
  });
});

test.each([
  ['bob', true],
  ['Jos\u00e9 P.', true],
  ['\u5f20\u4f1f', true],
  ['', false],
  ['bob ', false],
  ['\u200bbob', false],
  ['bo\nb', false],
  ['jose\u0301', false],
])('%j is a plain name: %s', (text, expected) => {
  expect(isPlainName(text)).toBe(expected);
});
