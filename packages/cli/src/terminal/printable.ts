import stringWidth from 'string-width';

/**
 * Text as it may be shown on a terminal. The audited party wrote the events: a control character in them could move the
 * cursor, change the window's title or hide a line, so each is shown as its escape.
 */
export function printable(text: string): string {
  if (!unsafe.test(text)) return text;
  return text.replace(unsafeAll, (character) => {
    const hex = character.codePointAt(0)!.toString(16);
    return `\\u{${hex}}`;
  });
}

/**
 * A JSON text that may be shown on a terminal: the same value, with the characters that {@link printable} replaces written as
 * JSON escapes.
 */
export function printableJson(json: string): string {
  if (!unsafe.test(json)) return json;
  const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(unsafeAll, (character) => character.split('').map(escapeUnit).join(''));
}

/**
 * Control characters, lone surrogates, separators of lines and paragraphs, and everything that reorders text or is invisible:
 * marks of direction, format characters, tags, variation selectors and blank letters.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const unsafeAll = new RegExp(unsafe.source, 'gu');

/** How many columns a printable text takes on a terminal. */
export function displayWidth(text: string): number {
  return ascii.test(text) ? text.length : stringWidth(text, { countAnsiEscapeCodes: true });
}

const ascii = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter();

/** The text, cut to a width if it is wider. A cut text ends with an ellipsis. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const columns = displayWidth(segment);
    if (used + columns > width - 1) break;
    kept += segment;
    used += columns;
  }
  return `${kept}…`;
}
