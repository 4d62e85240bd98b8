import { expect, it } from 'vitest';
import { type EarlyTyping, typed } from '../../../../src/site/elements/browser/search-link.ts';

/** Types keys one after the other. Keys that are not for the text are left out. */
const type = (...keys: readonly string[]) =>
  keys.reduce<EarlyTyping>((typing, key) => typed(typing, key) ?? typing, { text: '', isEntered: false });

it('keeps letters in their order, takes back what Backspace erases, and ends with Enter', () => {
  expect(type('a', 'é', '/', 'x', 'Backspace', '👍', ' ')).toEqual({ text: 'aé/👍 ', isEntered: false });
  expect(type('Backspace', 'a', 'Enter', 'b', 'Backspace')).toEqual({ text: 'a', isEntered: true });
});

it('leaves the other keys to the page, and keeps a text of bounded length', () => {
  for (const key of ['Tab', 'ArrowDown', 'F5', 'Dead', 'Process'])
    expect(typed({ text: 'a', isEntered: false }, key)).toBeUndefined();
  expect(type(...'x'.repeat(1_500)).text).toHaveLength(1_000);
});
