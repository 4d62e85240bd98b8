import { type AuditRecord, type IndexedColumns, indexedColumnNames, indexedColumns } from '@tallystick/log';

/** A row of verify-records.sql: a record and everything that the store holds beside it. */
export type StoredRow = {
  readonly [C in Exclude<keyof IndexedColumns, 'timestamp'>]: IndexedColumns[C];
} & {
  readonly sequence_number: number;
  readonly tenant_id: string;
  readonly record_hash: string;
  readonly previous_hash: string;
  readonly ingested_at: Date;
  readonly timestamp: Date;
  readonly record: string;
};

/** The name of a column that does not say what the record says, or `undefined`: it would hide the record from a query. */
export function strayColumn(row: StoredRow, record: AuditRecord): string | undefined {
  if (row.tenant_id !== record.tenant_id) return 'tenant_id';
  if (row.previous_hash !== record.previous_hash) return 'previous_hash';
  if (toText(row.ingested_at) !== record.ingested_at) return 'ingested_at';
  const columns = indexedColumns(record.event);
  return indexedColumnNames.find((name) =>
    name === 'timestamp' ? toText(row.timestamp) !== columns.timestamp : row[name] !== columns[name],
  );
}

function toText(time: Date): string {
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}
