/**
 * The words of a text. A word is a run of letters, marks and digits of any script; everything else separates words. So the parts of an
 * id, a path, a host name or an e-mail address are words, and no language is guessed. Scripts that put no spaces between words have one
 * word per character.
 *
 * An attacker controls the text. Every step is linear in its length.
 */

const asciiWord = /[a-z0-9]+/g;

/** A word is compared by its first characters, so that a long run of characters is not a term of its own length. */
const maxWordLength = 64;

const word =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}])+/gu;

/** Letters that only differ in case, width or composition become the same: NFKC, then lower, upper
 * and lower case again, which also joins letters that only one of the cases joins. */
export function fold(text: string): string {
  // Most texts are plain ASCII, for which lower case is the whole of it.
  if (ascii.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKC')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replaceAll('ς', 'σ');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ascii = /^[\x00-\x7f]*$/;

/** The words of a text, in their order. */
export function wordsOf(text: string): string[] {
  // Most texts are plain ASCII, whose words are found faster.
  const words = (ascii.test(text) ? text.toLowerCase().match(asciiWord) : fold(text).match(word)) ?? [];
  return words.map((each) => firstCharacters(each, maxWordLength));
}

/** How many characters (code points) a text has. */
export function charactersIn(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) if (isSecondHalf(text, at)) count--;
  return count;
}

/** The first characters (code points) of a text. */
export function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let left = count; left > 0 && end < text.length; left--) end += isSecondHalf(text, end + 1) ? 2 : 1;
  return text.slice(0, end);
}

/** Whether this code unit is the second of a surrogate pair. */
function isSecondHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
