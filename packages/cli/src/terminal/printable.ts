/**
 * Text as it may be shown on a terminal. Events are written by whoever was audited: a control character among them
 * could move the cursor, retitle the window or hide a line, so each is shown as its escape.
 */
export function printable(text: string): string {
  if (!unsafe.test(text)) return text;
  return text.replace(unsafeAll, (character) => {
    const hex = character.codePointAt(0)!.toString(16);
    return `\\u{${hex}}`;
  });
}

/** Control characters, lone surrogates, and the marks that reorder or hide neighbouring text. */
const unsafe = /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const unsafeAll = new RegExp(unsafe.source, 'gu');

/** Columns that a printable text takes on a terminal. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue;
    width += isWide(point) ? 2 : 1;
  }
  return width;
}

const ascii = /^[\x20-\x7e]*$/;

/** East Asian wide and fullwidth ranges, coarsely (Unicode Standard Annex #11), and emoji. */
function isWide(point: number): boolean {
  return (
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0xffe0 && point <= 0xffe6) ||
    (point >= 0x1f300 && point <= 0x1faff) ||
    (point >= 0x20000 && point <= 0x3fffd)
  );
}

/** The text cut to a width, an ellipsis as its last column where something is missing. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const columns = displayWidth(character);
    if (used + columns > width - 1) break;
    kept += character;
    used += columns;
  }
  return `${kept}…`;
}
