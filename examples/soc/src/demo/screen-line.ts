/** What hides or moves text on a terminal. Titles of alerts are chosen by attackers. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

/** A text of one line of a screen: hidden characters are counted instead of shown, and what is too long is cut. */
export function screenLine(text: string, width: number): string {
  const shown = text.replace(unsafe, (hidden) => `‹${[...hidden].length} hidden›`);
  let used = 0;
  let kept = '';
  for (const character of shown) {
    used += columnsOf(character);
    if (used > width) return `${withoutLast(kept)}…`;
    kept += character;
  }
  return kept;
}

function withoutLast(text: string): string {
  return [...text].slice(0, -1).join('');
}

/** Letters of East Asian scripts take two columns. Some others take one and count as two here, so that a line is never too long. */
function columnsOf(character: string): number {
  return character.codePointAt(0)! >= 0x2e80 ? 2 : 1;
}
