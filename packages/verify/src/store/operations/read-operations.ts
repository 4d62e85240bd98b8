import { type Query, storedTime } from '../read-store.ts';
import type { OperationRecord } from './replay-operation.ts';

/** A row of `audit_operations`, and the records about its key. */
export interface StoredOperation {
  /** Idempotency key. */
  readonly key: string;
  /** Columns that the records describe. `outcome` is the digest of the outcome; it is not in the map while there is none. */
  readonly columns: ReadonlyMap<string, string>;
  readonly ofEarlierVersion: boolean;
  readonly records: readonly OperationRecord[];
}

const beginTypes = ['audit.operation_begun', 'audit.operation_adopted'];
const types = [...beginTypes, 'audit.operation_finished'];
const rowsPerPage = 100;

// A store of an earlier version lacks the last two columns.
const columns = `
  o.tenant_id, o.idempotency_key, o.document_digest, o.intent_id::text as intent_id, o.begun_by,
  ${storedTime('o.begun_at')} as begun_at,
  'sha256:' || encode(sha256(convert_to(coalesce(to_jsonb(o) ->> 'outcome_salt', '') || o.outcome, 'UTF8')), 'hex')
    as outcome,
  coalesce((to_jsonb(o) ->> 'of_earlier_version')::boolean, true) as of_earlier_version`;

const inChain = `
  join audit_chain_ranges g
    on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence`;

/** The operations of a tenant in pages, each page with its records in one statement: both are of one moment. */
export async function* readOperationPages(query: Query, tenantId: string): AsyncGenerator<StoredOperation[]> {
  let after: string | null = null;
  for (;;) {
    const rows: readonly Row[] = await query(
      `with page as (
         select ${columns} from audit_operations o
          where o.tenant_id = $1 and ($2::text is null or o.idempotency_key > $2)
          order by o.idempotency_key limit ${rowsPerPage})
       select p.*, coalesce((
                select json_agg(json_build_object('epoch', r.epoch, 'sequence', r.sequence_number, 'record', r.record)
                                order by r.epoch, r.sequence_number)
                  from audit_records r ${inChain}
                 where r.tenant_id = $1 and r.target_id = p.idempotency_key and r.event_type = any ($3::text[])),
                '[]')::text as records
         from page p order by p.idempotency_key`,
      [tenantId, after, types],
    );
    if (rows.length > 0) yield rows.map(toOperation);
    if (rows.length < rowsPerPage) return;
    after = String(rows.at(-1)!.idempotency_key);
  }
}

/** Records of operations that have no row. A begin and its row are written in one transaction. */
export async function* readRecordsWithoutRow(
  query: Query,
  tenantId: string,
): AsyncGenerator<OperationRecord> {
  let [epoch, sequence] = [0, -1];
  for (;;) {
    const rows = await query(
      `select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.record
         from audit_records r ${inChain}
        where r.tenant_id = $1 and (r.epoch, r.sequence_number) > ($2::integer, $3::bigint)
          and r.event_type = any ($4::text[])
          and not exists (select from audit_operations o where o.tenant_id = $1 and o.idempotency_key = r.target_id)
        order by r.epoch, r.sequence_number limit ${rowsPerPage}`,
      [tenantId, epoch, sequence, beginTypes],
    );
    for (const row of rows) {
      [epoch, sequence] = [Number(row.epoch), Number(row.sequence_number)];
      yield { epoch, sequence, record: String(row.record) };
    }
    if (rows.length < rowsPerPage) return;
  }
}

/** Operations of tenants that have no chain: the verification of no chain compares them. */
export async function readOperationsWithoutChain(query: Query): Promise<readonly StoredOperation[]> {
  const rows = await query(
    `select ${columns}, '[]' as records from audit_operations o
      where not exists (select from audit_chain_ranges g where g.tenant_id = o.tenant_id)
      order by o.tenant_id, o.idempotency_key limit 1000`,
    [],
  );
  return rows.map((row) => ({ ...toOperation(row), key: `${row.tenant_id} ${row.idempotency_key}` }));
}

type Row = { readonly [column: string]: unknown };

function toOperation(row: Row): StoredOperation {
  const names = ['document_digest', 'intent_id', 'begun_by', 'begun_at', 'outcome'];
  return {
    key: String(row.idempotency_key),
    columns: new Map(names.filter((name) => row[name] !== null).map((name) => [name, String(row[name])])),
    ofEarlierVersion: row.of_earlier_version === true,
    records: JSON.parse(String(row.records)) as OperationRecord[],
  };
}
