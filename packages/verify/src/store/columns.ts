import { type AuditRecord, type IndexedColumns, indexedColumnNames, indexedColumns } from '@tallystick/log';

/** A row of `audit_records`. Times are texts with milliseconds, hashes hex. */
export interface StoredRow extends IndexedColumns {
  readonly sequence_number: number;
  /** Checked where it is present. */
  readonly tenant_id?: string;
  readonly ingested_at: string;
  readonly previous_hash: string;
  readonly record_hash: string;
  readonly record: string;
}

/** A column whose value differs from the record. Queries by this column miss the record or return it wrongly. */
export interface ColumnMismatch {
  readonly column: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Compares the columns of a row with its record. */
export function compareColumns(row: StoredRow, record: AuditRecord): ColumnMismatch[] {
  const mismatches: ColumnMismatch[] = [];
  const compare = (column: string, expected: unknown, found: unknown) => {
    if (expected !== found) mismatches.push({ column, expected, found });
  };
  if (row.tenant_id !== undefined) compare('tenant_id', record.tenant_id, row.tenant_id);
  compare('previous_hash', record.previous_hash, row.previous_hash);
  compare('ingested_at', record.ingested_at, row.ingested_at);
  const columns = indexedColumns(record.event);
  for (const name of indexedColumnNames) compare(name, columns[name], row[name]);
  return mismatches;
}
