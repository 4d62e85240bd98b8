import { eventFields } from '@tallystick/event';
import type { IndexedColumns, SealedRecord } from '@tallystick/log';

// Records are stored with COPY: one statement for all rows of a batch. INSERT would parse and plan parameters for every
// row, and its protocol limits one statement to 65,535 of them.

/** The columns of a record, in the order of {@link renderRow}. `timestamp` is also a keyword of SQL. */
const columns = [
  'tenant_id',
  'epoch',
  'sequence_number',
  'ingested_at',
  ...eventFields.map(({ name }) => (name === 'timestamp' ? '"timestamp"' : name)),
  'previous_hash',
  'record_hash',
  'record',
].join(', ');

/**
 * `copy … from stdin` into the partition of one month.
 *
 * @param partition a name that `partitionOf` has made; it becomes SQL text
 */
export function copyStatement(partition: string): string {
  return `copy ${partition} (${columns}) from stdin`;
}

/** One row of `audit_records`. */
export interface CopyRow {
  readonly tenantId: string;
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly ingestedAt: string;
  readonly columns: IndexedColumns;
  readonly previousHash: string;
  readonly sealed: SealedRecord;
}

/** Only free text can contain characters with a meaning in COPY. All entries have the same shape, because this is a hot path. */
const rendered = eventFields.map(({ name, type }) => ({ name, free: type === 'text' }));

/** One line of COPY's text format. */
export function renderRow(row: CopyRow): string {
  let line = `${row.tenantId}\t${row.epoch}\t${row.sequenceNumber}\t${row.ingestedAt}\t`;
  for (const { name, free } of rendered) {
    const value = row.columns[name];
    if (value === null) line += '\\N\t';
    else if (typeof value === 'boolean') line += value ? 't\t' : 'f\t';
    else line += free && special.test(value) ? `${escapeText(value)}\t` : `${value}\t`;
  }
  // Canonical JSON escapes control characters. Of the characters with a meaning in COPY, it can only contain backslashes.
  const record = row.sealed.text;
  return (
    `${line}\\\\x${row.previousHash}\t\\\\x${row.sealed.hashHex}\t` +
    `${record.includes('\\') ? record.replaceAll('\\', '\\\\') : record}\n`
  );
}

const special = /[\\\t\n\r]/;
const everySpecial = /[\\\t\n\r]/g;
const escapes: { readonly [character: string]: string } = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function escapeText(text: string): string {
  return text.replaceAll(everySpecial, (character) => escapes[character]!);
}
