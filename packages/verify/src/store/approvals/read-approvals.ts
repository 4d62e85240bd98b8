import { type Query, storedTime } from '../read-store.ts';
import { changeTypes, type StoredRecord } from './replay.ts';

/** A row of `audit_approvals`. Times are RFC 3339. */
export interface ApprovalRow {
  readonly id: string;
  readonly state: string;
  /** JSON of the approval, whatever an attacker made of it. */
  readonly approval: string;
  readonly version: number;
  readonly next_deadline: string | null;
  readonly created_at: string;
}

/** Approvals have up to 64 KiB each. */
const rowsPerPage = 25;
const recordsPerPage = 200;

const columns = `
  a.id::text as id, a.state, a.approval, a.version::text as version, ${storedTime('a.next_deadline')} as next_deadline,
  ${storedTime('a.created_at')} as created_at`;

const inChain = `
  join audit_chain_ranges g
    on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence`;

/** The rows of a tenant in pages, in the order of their ids. */
export async function* readApprovalPages(query: Query, tenantId: string): AsyncGenerator<ApprovalRow[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await query(
      `select ${columns} from audit_approvals a where a.tenant_id = $1 and a.id >= $2::uuid
        order by a.id limit ${rowsPerPage + 1}`,
      [tenantId, after],
    );
    if (rows.length > 0) yield rows.slice(0, rowsPerPage).map(toRow);
    const next = rows[rowsPerPage];
    if (next === undefined) return;
    after = String(next.id);
  }
}

/** A row as it is at this moment. */
export async function readApprovalRow(
  query: Query,
  tenantId: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  const sql = `select ${columns} from audit_approvals a where a.tenant_id = $1 and a.id = $2::uuid`;
  const [row] = await query(sql, [tenantId, id]);
  return row === undefined ? undefined : toRow(row);
}

/** Rows of a tenant that has no chain: no verification of a chain compares them. */
export async function readRowsWithoutChain(
  query: Query,
): Promise<readonly { readonly tenant_id: string; readonly id: string }[]> {
  const rows = await query(
    `select a.tenant_id, a.id::text as id from audit_approvals a
      where not exists (select from audit_chain_ranges g where g.tenant_id = a.tenant_id)
      order by a.tenant_id, a.id limit 1000`,
    [],
  );
  return rows.map(({ tenant_id, id }) => ({ tenant_id: String(tenant_id), id: String(id) }));
}

/** The records about changes of these approvals, in the order of the chain. Clients may have written some of them. */
export async function* readChanges(
  query: Query,
  tenantId: string,
  ids: readonly string[],
): AsyncGenerator<StoredRecord> {
  yield* pages(query, tenantId, `and r.target_id = any ($5::text[]) and r.event_type = any ($6::text[])`, [
    ids,
    changeTypes,
  ]);
}

/** The records of requests that have no row. A request and its row are written in one transaction. */
export async function* readRequestsWithoutRow(query: Query, tenantId: string): AsyncGenerator<StoredRecord> {
  const condition = `and r.event_type = 'approval.requested' and not exists (
    select from audit_approvals a where a.tenant_id = $1 and a.id::text = r.target_id)`;
  yield* pages(query, tenantId, condition, []);
}

async function* pages(
  query: Query,
  tenantId: string,
  condition: string,
  parameters: readonly unknown[],
): AsyncGenerator<StoredRecord> {
  let [epoch, sequence] = [0, -1];
  for (;;) {
    const rows = await query(
      `select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.record
         from audit_records r ${inChain}
        where r.tenant_id = $1 and (r.epoch, r.sequence_number) > ($2::integer, $3::bigint) ${condition}
        order by r.epoch, r.sequence_number limit $4::integer`,
      [tenantId, epoch, sequence, recordsPerPage, ...parameters],
    );
    for (const row of rows) {
      [epoch, sequence] = [Number(row.epoch), Number(row.sequence_number)];
      yield { epoch, sequence, record: String(row.record) };
    }
    if (rows.length < recordsPerPage) return;
  }
}

function toRow(row: { readonly [column: string]: unknown }): ApprovalRow {
  return {
    id: String(row.id),
    state: String(row.state),
    approval: String(row.approval),
    version: Number(row.version),
    next_deadline: row.next_deadline === null ? null : String(row.next_deadline),
    created_at: String(row.created_at),
  };
}
