/** A record as lists show it: the event's fields beside those of its place in the chain. */
export interface FlatRecord {
  readonly [field: string]: unknown;
}

/** The place of a record: its epoch, and its sequence number within the epoch. */
export interface ExportPosition {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * A format in which records are exported. One record is one line, so a broken transfer can go on after the last whole line, and two
 * files can be compared line by line. A line depends on its record alone: whoever has the record can write the line again.
 */
export interface ExportFormat {
  readonly name: string;
  readonly mediaType: string;
  /** What comes before the first record, with the end of its line; empty if there is nothing. */
  readonly header: string;
  /** The line of a record, with its end. */
  line(record: FlatRecord): string;
  /** Where the record of a line is. `undefined` for a line that this format did not write. */
  positionOf(line: string): ExportPosition | undefined;
}

const positionPattern = /^([1-9]\d{0,9})-(0|[1-9]\d{0,15})$/;

/** The text of a position, as the API takes it: `1-4711`. */
export function formatExportPosition({ epoch, sequence }: ExportPosition): string {
  return `${epoch}-${sequence}`;
}

/** Reads the text of a position; `undefined` for any other text. */
export function parseExportPosition(text: string): ExportPosition | undefined {
  const [, epoch, sequence] = positionPattern.exec(text) ?? [];
  return epoch === undefined ? undefined : asPosition(Number(epoch), Number(sequence));
}

/** A position of these numbers; `undefined` if they can't be one. */
export function asPosition(epoch: unknown, sequence: unknown): ExportPosition | undefined {
  const isPosition =
    Number.isInteger(epoch) &&
    Number.isSafeInteger(sequence) &&
    (epoch as number) >= 1 &&
    (epoch as number) <= 0x7fffffff &&
    (sequence as number) >= 0;
  return isPosition ? { epoch: epoch as number, sequence: sequence as number } : undefined;
}
