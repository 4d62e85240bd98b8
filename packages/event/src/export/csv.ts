import { indexedFields } from '../fields/fields.ts';
import { canonicalize } from '../json/canonical.ts';
import { eventShape } from '../schema/event.ts';
import { asPosition, type ExportFormat, type FlatRecord } from './export-format.ts';

interface CsvColumn {
  readonly name: string;
  value(record: FlatRecord): unknown;
}

/** A column for each field of an event. What the table of fields finds inside a field has a column of its own before it. */
const eventColumns: readonly CsvColumn[] = Object.keys(eventShape.fields).flatMap((field) => [
  ...indexedFields.flatMap((indexed) =>
    'path' in indexed && indexed.path.length > 1 && indexed.path[0] === field
      ? [{ name: indexed.name, value: (record: FlatRecord) => memberAt(record, indexed.path) }]
      : [],
  ),
  { name: field, value: (record) => record[field] },
]);

const columns: readonly CsvColumn[] = [
  { name: 'epoch', value: ({ epoch }) => epoch },
  { name: 'sequence_number', value: ({ sequence_number }) => sequence_number },
  { name: 'ingested_at', value: ({ ingested_at }) => ingested_at },
  ...eventColumns,
  { name: 'ingest_trust', value: (record) => memberAt(record, ['ingest', 'trust']) },
  { name: 'ingest_principal', value: (record) => memberAt(record, ['ingest', 'principal']) },
  { name: 'ingest_source', value: (record) => memberAt(record, ['ingest', 'source']) },
  { name: 'previous_hash', value: ({ previous_hash }) => previous_hash },
  { name: 'record_hash', value: ({ record_hash }) => record_hash },
  { name: 'note', value: noteOf },
];

/** The names of the columns, in their order. */
export const csvColumns: readonly string[] = columns.map(({ name }) => name);

/**
 * CSV by RFC 4180: CRLF ends a line, and a cell with a comma or a quotation mark is quoted. Objects and lists are canonical JSON (RFC 8785).
 * A text that a spreadsheet would take for a formula begins with an apostrophe, also behind a semicolon. Control characters are written as `\n`, `\t` or `\u001b`, so
 * that one record is one line and no terminal obeys it. Both change the text: for the exact one, use JSON lines.
 */
export const csv: ExportFormat = {
  name: 'csv',
  mediaType: 'text/csv; charset=utf-8; header=present',
  header: `${csvColumns.join(',')}\r\n`,
  line: (record) => `${columns.map((column) => csvCell(column.value(record))).join(',')}\r\n`,
  positionOf: (line) => {
    const [, epoch, sequence] = /^(\d{1,10}),(\d{1,16}),/.exec(line) ?? [];
    return epoch === undefined ? undefined : asPosition(Number(epoch), Number(sequence));
  },
};

/** What a reader must know of a line: its content was left out, or is not what it seems. */
function noteOf({ redacted, damaged, claimed }: FlatRecord): string {
  if (redacted === true) return 'redacted';
  if (damaged === true) return 'damaged';
  return claimed === true ? 'claimed' : '';
}

function memberAt(record: FlatRecord, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const member of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as FlatRecord)[member];
  }
  return value;
}

/** A cell of CSV, as {@link csv} writes it: safe for a spreadsheet and a terminal. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = oneLine(typeof value === 'string' ? value : jsonOf(value));
  return quoted(text.replaceAll(startsFormula, "$1'$2"));
}

/** Canonical, so that it does not depend on who writes it. A forged record may hold a value without a canonical text. */
function jsonOf(value: unknown): string {
  try {
    return canonicalize(value);
  } catch {
    return JSON.stringify(value);
  }
}

/**
 * Quotation marks, blanks, and characters that are not seen: those that Unicode 17 calls white space, format controls or ignorable. They are
 * written out, because a program with the data of another Unicode must write the same line (spec/selection.md).
 */
const unseen =
  '\\t-\\r "\\u00a0\\u00ad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u115f\\u1160\\u1680\\u17b4\\u17b5' +
  '\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb' +
  '\\u{110bd}\\u{110cd}\\u{13430}-\\u{1343f}\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}';

/**
 * The beginnings that OWASP names for formulas, in ASCII, in full width and as small forms, also after quotation marks, blanks and characters that
 * are not seen: some programs remove those. In much of Europe a spreadsheet divides the lines of a file at semicolons, and there a quotation
 * mark within a cell protects nothing, so a semicolon counts as a beginning too. A text that begins with an apostrophe gets a second
 * one, so that the reader knows which one was added.
 */
const startsFormula = new RegExp(
  `(^|;)([${unseen}]*[=+\\-@'\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b])`,
  'gu',
);

const shortEscapes = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** Control characters, line separators, marks that change the direction of text, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

function oneLine(text: string): string {
  return text.replace(
    unprintable,
    (character) =>
      shortEscapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function quoted(text: string): string {
  return /[",;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
