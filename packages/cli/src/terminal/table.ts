import { displayWidth, printable, truncate } from './printable.ts';
import type { Style, Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  /** The cell's text, not yet made printable. */
  readonly value: (row: Row) => string | number | undefined;
  readonly align?: 'left' | 'right';
  readonly style?: (row: Row) => Style | undefined;
  /** May be cut where the terminal is narrow; others keep their full width. @defaultValue false */
  readonly flexible?: boolean;
}

const gap = '  ';
const narrowest = 8;

/** Lays rows out in columns, as wide as the terminal at most, where there is a flexible column to cut. */
export function renderTable<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  const cells = rows.map((row) =>
    columns.map((column) => {
      const value = column.value(row);
      return value === undefined ? '' : printable(String(value));
    }),
  );
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[at]!))),
  );
  narrow(columns, widths, terminal.width);
  const lay = (texts: readonly string[], styleOf: (at: number) => Style | undefined) =>
    texts
      .map((text, at) => {
        const cut = truncate(text, widths[at]!);
        const style = cut === '' ? undefined : styleOf(at);
        const shown = style === undefined ? cut : terminal.style(style, cut);
        const padding = ' '.repeat(Math.max(0, widths[at]! - displayWidth(cut)));
        return columns[at]!.align === 'right' ? padding + shown : shown + padding;
      })
      .join(gap)
      .trimEnd();
  const lines = [
    lay(
      columns.map(({ title }) => title),
      () => 'bold',
    ),
    ...cells.map((row, index) => lay(row, (at) => columns[at]!.style?.(rows[index]!))),
  ];
  return `${lines.join('\n')}\n`;
}

/** Takes the missing columns from the widest flexible one, again and again. */
function narrow<Row>(columns: readonly Column<Row>[], widths: number[], available: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (columns.length - 1) - available;
  while (excess > 0) {
    let widest = -1;
    for (const [at, column] of columns.entries()) {
      const wider = widths[at]! > narrowest && (widest < 0 || widths[at]! > widths[widest]!);
      if (column.flexible === true && wider) widest = at;
    }
    if (widest < 0) return;
    widths[widest]!--;
    excess--;
  }
}

/** Names and values under each other, the names aligned. */
export function renderFields(
  terminal: Terminal,
  fields: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const shown = fields.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown
    .map(([name, value]) => {
      const padding = ' '.repeat(width - displayWidth(name));
      return `${terminal.style('bold', name)}${padding}${gap}${printable(String(value))}\n`;
    })
    .join('');
}
