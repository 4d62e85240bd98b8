/**
 * Whether a text reads as a name of ASCII letters, although it has other characters: capital or wide letters, letters of other alphabets
 * that look the same, marks, invisible characters, spaces and punctuation. spec/event.md states the rule.
 *
 * This is the skeleton of Unicode TS 39 for the few letters of our own names. The whole table (`confusables.txt`) has more than
 * 6,000 entries, and each event would carry its cost; a wrong match would refuse a genuine actor.
 *
 * @param name lower-case ASCII letters
 */
export function looksLike(text: string, name: string): boolean {
  if (text === name) return true;
  // A name whose letters are each followed by a few marks or invisible characters. Longer texts do not read as the name.
  if (text.length > 8 * name.length) return false;
  return skeleton(text) === skeleton(name);
}

function skeleton(text: string): string {
  const plain = text.normalize('NFKD').toLowerCase().normalize('NFKD');
  const folded = Array.from(plain, (character) => sameShapes.get(character) ?? character).join('');
  return folded.replace(/[^\p{L}\p{N}]+/gu, '');
}

/**
 * Characters that look like the letters of `tallystick`, as they are after NFKD and in lower case. `i` is among those of `l`, because
 * a capital `I` looks like it.
 */
const sameShapes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: '\u0430\u03b1\u0251\u2c81\uab7a\ua4ee@4',
    c: '\u0441\u03c3\u03c2\u1d04\u2ca5\uabaf\ua4da',
    k: '\u043a\u03ba\u0138\u1d0b\u2c95\uabb6\ua4d7',
    l: 'i1|\u0456\u0131\u03b9\u0269\u04cf\u2373\u01c0\u05c0\u2223\u0627\u2c93\uab75\uabae\ua4e1\ua4f2',
    s: '\u0455\u0282\ua731\u057f\uabaa\ua4e2$5',
    t: '\u0442\u03c4\u1d1b\u2ca7\uab72\ua4d4',
    y: '\u0443\u03b3\u03c5\u04af\u0263\u028f\u2ca9\uab8d\ua4ec',
  }).flatMap(([letter, shapes]) => Array.from(shapes, (shape) => [shape, letter] as const)),
);
