import { type ExportPosition, exportFormat } from '@tallystick/event';
import type { FindingSink } from '../report.ts';
import { changedCell } from './changed-cell.ts';

/**
 * Compares the lines of a table with those that its records make. Both are read side by side in the order of the chain, so a line that was
 * changed, taken out or added is named, and the lines after it still find their records.
 */
export class CsvComparison {
  readonly #lines: AsyncIterator<string>;
  readonly #findings: FindingSink;
  /** The next line that was not compared yet. */
  #next: { readonly text: string; readonly number: number } | undefined;
  #number = 0;

  /** Whether no more findings are kept: a table that was made to keep the reader busy is read no further. */
  readonly #isEnough: () => boolean;

  /** @param lines of the table, without their line feeds */
  constructor(lines: AsyncIterator<string>, findings: FindingSink, isEnough: () => boolean) {
    this.#lines = lines;
    this.#findings = findings;
    this.#isEnough = isEnough;
  }

  /** Compares the names of the columns. */
  async begin(): Promise<void> {
    await this.#advance();
    const expected = withoutEnd(csv.header);
    if (this.#next?.text === expected) await this.#advance();
    else if (this.#next === undefined || csv.positionOf(this.#next.text) !== undefined)
      this.#missing(null, 'the names of the columns');
    else {
      this.#changed(null, expected);
      await this.#advance();
    }
  }

  /** Compares the next line with the one that a record makes. */
  async expect(line: string): Promise<void> {
    const expected = withoutEnd(line);
    const place = csv.positionOf(expected)!;
    while (!this.#isEnough()) {
      const found = this.#next === undefined ? undefined : csv.positionOf(this.#next.text);
      if (this.#next !== undefined && (found === undefined || isBefore(found, place))) {
        this.#added(found);
        await this.#advance();
        continue;
      }
      if (found === undefined || isBefore(place, found))
        return this.#missing(place.sequence, 'the line of a record');
      if (this.#next!.text !== expected) this.#changed(place.sequence, expected);
      await this.#advance();
      return;
    }
  }

  /** Every line that is left belongs to no record. */
  async finish(): Promise<void> {
    while (this.#next !== undefined && !this.#isEnough()) {
      this.#added(csv.positionOf(this.#next.text));
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#lines.next();
    this.#number++;
    this.#next = done === true ? undefined : { text: value, number: this.#number };
  }

  #changed(sequence_number: number | null, expected: string): void {
    const { text, number } = this.#next!;
    const line = `line ${number} of events.csv`;
    const cell = changedCell(expected, text);
    this.#findings.add({
      code: 'LINE_CHANGED',
      sequence_number,
      expected: cell === undefined ? 'no more columns' : `${cell.column}: ${cell.expected}`,
      found: cell?.found === undefined ? line : `${line}: ${cell.found}`,
    });
  }

  #added(place: ExportPosition | undefined): void {
    this.#findings.add({
      code: 'LINE_ADDED',
      sequence_number: place?.sequence ?? null,
      found: `line ${this.#next!.number} of events.csv`,
    });
  }

  #missing(sequence_number: number | null, expected: string): void {
    this.#findings.add({ code: 'LINE_MISSING', sequence_number, expected: `${expected} in events.csv` });
  }
}

const csv = exportFormat('csv');

function withoutEnd(line: string): string {
  return line.slice(0, line.lastIndexOf('\n'));
}

function isBefore(a: ExportPosition, b: ExportPosition): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence < b.sequence);
}
