import { type IndexedColumns, indexedColumnNames, type SealedRecord } from '@tallystick/log';

// Records are stored with COPY: one statement for all rows of a batch. INSERT would parse and plan parameters for every
// row, and its protocol limits one statement to 65,535 of them.

/** The columns of a record, in the order of {@link renderRow}. */
const columns = [
  'tenant_id',
  'epoch',
  'sequence_number',
  'ingested_at',
  ...indexedColumnNames.map((name) => (name === 'timestamp' ? '"timestamp"' : name)),
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

export interface CopyRow {
  readonly tenantId: string;
  readonly epoch: number;
  readonly sequenceNumber: number;
  readonly ingestedAt: string;
  readonly columns: IndexedColumns;
  readonly previousHash: string;
  readonly sealed: SealedRecord;
}

/** One line of COPY's text format. */
export function renderRow(row: CopyRow): string {
  const c = row.columns;
  // Canonical JSON escapes control characters. Of the characters that are special in COPY only backslashes are left.
  const record = row.sealed.text;
  return (
    `${row.tenantId}\t${row.epoch}\t${row.sequenceNumber}\t${row.ingestedAt}\t${c.audit_id}\t${c.timestamp}\t` +
    `${c.event_type}\t${nullable(c.event_category)}\t${nullable(c.severity)}\t${c.actor_type}\t${escapeText(c.actor_id)}\t` +
    `${nullable(c.target_type)}\t${nullable(c.target_id)}\t${nullable(c.investigation_id)}\t${nullable(c.alert_id)}\t` +
    `${nullable(c.correlation_id)}\t${nullable(c.trace_id)}\t${nullable(c.outcome_status)}\t${escapeText(c.source_service)}\t` +
    `${c.is_sensitive ? 't' : 'f'}\t\\\\x${row.previousHash}\t\\\\x${row.sealed.hashHex}\t` +
    `${record.includes('\\') ? record.replaceAll('\\', '\\\\') : record}\n`
  );
}

const special = /[\\\t\n\r]/g;
const escapes: { readonly [character: string]: string } = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function escapeText(text: string): string {
  return text.search(special) < 0 ? text : text.replace(special, (character) => escapes[character]!);
}

function nullable(text: string | null): string {
  return text === null ? '\\N' : escapeText(text);
}
