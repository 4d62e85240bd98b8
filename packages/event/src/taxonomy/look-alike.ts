/**
 * Whether a text reads as a name of ASCII letters, although it has other characters: capital or wide letters, letters of other alphabets
 * that look the same, marks, invisible characters, spaces and punctuation.
 *
 * This is the skeleton of Unicode TS 39 for the few letters of our own names. The whole table (`confusables.txt`) has more than
 * 6,000 entries, and each event would carry its cost; a wrong match would refuse a genuine actor.
 *
 * @param name lower-case ASCII letters
 */
export function looksLike(text: string, name: string): boolean {
  if (text === name) return true;
  // A name whose letters are each followed by a few marks or invisible characters. Longer texts do not read as the name.
  if (text.length < name.length || text.length > 8 * name.length) return false;
  return skeleton(text) === name;
}

function skeleton(text: string): string {
  const plain = text.normalize('NFKD').toLowerCase().normalize('NFKD');
  const folded = Array.from(plain, (character) => sameShapes.get(character) ?? character).join('');
  return folded.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Characters of other alphabets and digits that look like the letters of `tallystick`, in lower case. */
const sameShapes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: '\u0430\u03b1\u0251\uff41@4',
    c: '\u0441\u03f2\u1d04\u2ca5',
    i: '\u0456\u0131\u03b9\u0269\u04cf\u2373',
    k: '\u043a\u03ba\u0138\u1d0b\u2c95',
    l: '1|\u01c0\u05c0\u217c\u2223\u0627',
    s: '\u0455\u0282\ua731$5',
    t: '\u0442\u03c4\u1d1b\u2ca7',
    y: '\u0443\u03b3\u04af\u0263\u028f\u213d',
  }).flatMap(([letter, shapes]) => Array.from(shapes, (shape) => [shape, letter] as const)),
);
