import type { FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';
import {
  readOperationPages,
  readOperationsWithoutChain,
  readRecordsWithoutRow,
  type StoredOperation,
} from './read-operations.ts';
import { type OperationFact, ReplayedOperation, targetOf } from './replay-operation.ts';

/** Whose operations are compared with the records. */
export interface OperationsOptions {
  readonly tenantId: string;
  /** Epoch of the report: findings name only others. */
  readonly epoch: number;
  /**
   * Tenant of the service's own records. Its verification also reports the operations of tenants that have no chain.
   * @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
}

/** What was not compared. */
export interface ComparedOperations {
  /** Operations of an earlier version that the service has not put on record yet. */
  readonly operationsNotOnRecord: number;
}

/**
 * Compares the operations that have idempotency keys with the service's records of their begin and end in one tenant's chain. Each row
 * that was edited, deleted or inserted with other means than the service's is a finding. The records themselves are checked with the
 * chain.
 */
export async function checkOperations(
  query: Query,
  { tenantId, epoch, serviceTenant = 'tallystick' }: OperationsOptions,
  findings: FindingSink,
): Promise<ComparedOperations> {
  const areAdopted = await hasOpenedDesk(query, serviceTenant);
  let operationsNotOnRecord = 0;
  for await (const rows of readOperationPages(query, tenantId)) {
    for (const row of rows) {
      const replayed = ReplayedOperation.of(row.records);
      for (const { place, what } of replayed.repeated) report(place, `${row.key}: one record`, what);
      if (replayed.facts === undefined) {
        if (row.ofEarlierVersion && !areAdopted) operationsNotOnRecord++;
        else report(undefined, `${row.key}: no record`, 'a row without a record');
      } else compare(row, replayed.facts);
    }
  }
  for await (const record of readRecordsWithoutRow(query, tenantId)) {
    const key = targetOf(record);
    if (key !== undefined) report(record, `${key}: an operation`, 'no row');
  }
  if (tenantId !== serviceTenant) return { operationsNotOnRecord };
  for (const row of await readOperationsWithoutChain(query)) {
    if (row.ofEarlierVersion && !areAdopted) operationsNotOnRecord++;
    else report(undefined, `${row.key}: no record`, 'a row that no chain records');
  }
  return { operationsNotOnRecord };

  function compare(row: StoredOperation, facts: ReadonlyMap<string, OperationFact>): void {
    for (const [column, { value, place }] of facts) {
      const stored = row.columns.get(column) ?? 'absent';
      if (stored !== value) report(place, `${row.key} ${column}: ${value}`, stored);
    }
  }

  function report(place: Place | undefined, expected: string, found: string): void {
    findings.add({
      code: 'OPERATION_MISMATCH',
      sequence_number: place?.sequence ?? null,
      ...(place !== undefined && place.epoch !== epoch && { epoch: place.epoch }),
      expected,
      found,
    });
  }
}

interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

/** Whether the service has put the operations of earlier versions on record. After that, each row has a record. */
async function hasOpenedDesk(query: Query, serviceTenant: string): Promise<boolean> {
  const [row] = await query(
    `select exists (
       select from audit_records r
         join audit_chain_ranges g
           on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
        where r.tenant_id = $1 and r.event_type = 'audit.books_opened'
          and r.record::jsonb #>> '{event,metadata,desk_complete}' = 'true'
          and r.record::jsonb #>> '{ingest,trust}' = 'service') as opened`,
    [serviceTenant],
  );
  return row?.opened === true;
}
