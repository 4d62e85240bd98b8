import { exportFormat } from '@tallystick/event';

/** Where a line of a table differs from the one that its record makes: the first cell, as both have it. */
export interface ChangedCell {
  readonly column: string;
  readonly expected: string;
  /** Undefined if the line ends before this cell. */
  readonly found: string | undefined;
}

/** Most characters of a cell that a finding repeats. */
const maxShown = 64;

/**
 * Finds the first cell in which two lines of a table (RFC 4180, without their ends) differ.
 *
 * @returns undefined if they differ only behind the last column
 */
export function changedCell(expected: string, found: string): ChangedCell | undefined {
  const others = cellsOf(found);
  const columns = cellsOf(exportFormat('csv').header.trimEnd());
  for (const cell of cellsOf(expected)) {
    const { value: column } = columns.next();
    const { value: other } = others.next();
    if (cell !== other) return { column: column!, expected: shown(cell)!, found: shown(other) };
  }
  return undefined;
}

/** The cells as they are written, with their quotation marks. */
function* cellsOf(line: string): Generator<string, undefined> {
  const cell = /((?:"[^"]*(?:""[^"]*)*")?[^,]*)(,|$)/gy;
  for (;;) {
    const [, text, end] = cell.exec(line)!;
    yield text!;
    if (end === '') return undefined;
  }
}

function shown(cell: string | undefined): string | undefined {
  if (cell === '') return 'empty';
  const text = cell?.slice(0, maxShown).replaceAll('\r', String.raw`\r`);
  return cell === undefined || cell.length <= maxShown ? text : `${text}…`;
}
