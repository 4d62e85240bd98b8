import { displayWidth, printable, truncate } from '../terminal/printable.ts';

/** Longest text of a detail. `tally show` has the rest. */
const longest = 1_000;
/** A text gets this many columns also where the terminal is too narrow. */
const narrowest = 20;

/** A text of an event in lines of a width. It breaks between words, and inside a word that is wider than a line. */
export function wrap(text: string, width: number): string[] {
  const available = Math.max(width, narrowest);
  const lines: string[] = [];
  let line = '';
  for (const word of truncate(printable(text), longest).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= available) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (displayWidth(line) > available) {
      const cut = truncate(line, available + 1).slice(0, -1);
      // One letter may be wider than any line.
      if (cut === '' || cut === line) break;
      lines.push(cut);
      line = line.slice(cut.length);
    }
  }
  lines.push(line);
  return lines;
}
