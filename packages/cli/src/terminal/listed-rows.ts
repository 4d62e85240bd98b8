import { type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface ListedRows<Row> {
  readonly columns: readonly Column<Row>[];
  /** Most rows to print. @defaultValue all */
  readonly limit?: number | undefined;
  /** What to say if there are no rows. */
  readonly none: string;
}

/** Rows of one table. A longer list has several, so that its memory is bounded. */
const tableRows = 500;

/**
 * Prints a list that the service answers in pages: one JSON value a line, or tables with at most 500 rows each. Reads no further than the
 * limit, and no further when the reader of the output has ended.
 */
export async function printRows<Row>(
  terminal: Terminal,
  rows: AsyncIterable<Row>,
  { columns, limit = Number.POSITIVE_INFINITY, none }: ListedRows<Row>,
): Promise<void> {
  let waiting: Row[] = [];
  let shown = 0;
  let more = false;
  const printTable = async () => {
    if (waiting.length > 0) await terminal.write(renderTable(terminal, columns, waiting));
    waiting = [];
  };
  for await (const row of rows) {
    more = shown === limit;
    if (more || terminal.outputEnded) break;
    shown++;
    if (terminal.json) await terminal.jsonLine(row);
    else if (waiting.push(row) === tableRows) await printTable();
  }
  await printTable();
  if (terminal.json) return;
  if (shown === 0) terminal.note(none);
  else if (more) terminal.note('there are more: a higher --limit lists them');
}
