import { displayWidth, printable, truncate } from './printable.ts';
import type { Style, Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text of the cell. The table makes it printable. */
  readonly value: (row: Row) => string | number | undefined;
  readonly align?: 'left' | 'right';
  readonly style?: (row: Row) => Style | undefined;
  /** Whether the column may be cut on a narrow terminal. @defaultValue false */
  readonly flexible?: boolean;
}

const gap = '  ';
const narrowest = 8;

/** Renders rows as a table that is as wide as the terminal at most, as far as flexible columns can be cut. */
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
  narrow(columns, widths, terminal.tableWidth);
  const renderRow = (texts: readonly string[], styleOf: (at: number) => Style | undefined) =>
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
    renderRow(
      columns.map(({ title }) => title),
      () => 'bold',
    ),
    ...cells.map((row, index) => renderRow(row, (at) => columns[at]!.style?.(rows[index]!))),
  ];
  return `${lines.join('\n')}\n`;
}

/** Makes the widest flexible column one character narrower, until the table fits. */
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

/** Renders one name and value per line, the values aligned. Both are made printable. */
export function renderFields(
  terminal: Terminal,
  fields: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const shown = fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [printable(name), value] as const);
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown
    .map(([name, value]) => {
      const padding = ' '.repeat(width - displayWidth(name));
      return `${terminal.style('bold', name)}${padding}${gap}${printable(String(value))}\n`;
    })
    .join('');
}
