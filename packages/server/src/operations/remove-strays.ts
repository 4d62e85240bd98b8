import { parseOrigin } from '@tallystick/log';
import type { Stray } from '@tallystick/verify';
import { type RemovedStray, straysRecord } from '../chain/service-records/strays-record.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import type { Signer } from '../proofs/signer.ts';
import type { TenantLogs } from '../proofs/tenant-logs.ts';
import { type Database, type Queries, writer } from '../store/database.ts';
import type { OwnerAccess } from '../store/owner.ts';
import { findStrays } from '../store/strays.ts';
import { assertReason } from './reason.ts';

/** What the removal of strays works on. An `AuditService` has all of it. */
export interface StraySources {
  readonly database: Database;
  readonly signer: Signer;
  readonly logs: TenantLogs;
  readonly appendRanges: AppendRanges;
  /** Gets the record of a removal for a tenant that has no chain. */
  readonly serviceTenant: string;
}

/** A row that does not belong to the chain of its tenant. */
export type TenantStray = Stray & {
  readonly tenantId: string;
  /** Whether a checkpoint was signed for its position: the row may be genuine, and the head is wrong. It is not removed. */
  readonly isSigned: boolean;
};

/** Strays of a tenant that one transaction removes. */
const straysPerTransaction = 400;

// A skip scan: one probe of each partition's index per tenant.
const tenantsSql = `
  with recursive tenants as (
    (select min(tenant_id) as tenant_id from audit_records)
    union all
    select (select min(r.tenant_id) from audit_records r where r.tenant_id > t.tenant_id) from tenants t
     where t.tenant_id is not null
  )
  select tenant_id from tenants where tenant_id is not null
  union select tenant_id from audit_chain_state
  union select tenant_id from audit_removed_strays where chained_at is null
  order by tenant_id`;

/**
 * The strays of these tenants, 400 at most for each. Changes nothing.
 *
 * @param tenantIds all tenants where absent
 */
export async function listStrays(
  { database, signer }: Pick<StraySources, 'database' | 'signer'>,
  tenantIds?: readonly string[],
): Promise<TenantStray[]> {
  const strays: TenantStray[] = [];
  for (const tenantId of tenantIds ?? (await tenantsOf(database))) {
    const found = await database.transaction(writer, (session) =>
      findStrays(session, tenantId, straysPerTransaction, signer.knownEpochs(tenantId)),
    );
    strays.push(...withSigned(signer, tenantId, found));
  }
  return strays;
}

/**
 * Removes the strays of these tenants and records it. The bytes of each removed row stay in `audit_removed_strays`, and the
 * chain of its tenant gets an `audit.strays_removed` with their SHA-256. A tenant without a chain has it in the chain of the
 * service's own tenant.
 *
 * A row at a position that was signed stays: the chain lost its head, and a recovery has to close it first.
 *
 * A crash after a removal leaves its record to be written. The next call writes it, whatever it removes itself.
 *
 * @param reason for people, 1 to 500 characters. It becomes a permanent part of the chains
 * @returns the number of rows that were removed, and of those that were recorded
 * @throws {ServerError} `PARAMETER_INVALID` for the reason; `CHAIN_STOPPED` where a chain is stopped for another cause
 */
export async function removeStrays(
  sources: StraySources,
  asOwner: OwnerAccess,
  request: {
    readonly tenantIds?: readonly string[] | undefined;
    readonly reason: string;
    readonly by: string;
    readonly now: number;
  },
): Promise<{ readonly removed: number; readonly recorded: number }> {
  assertReason(request.reason);
  const tenantIds = request.tenantIds ?? (await tenantsOf(sources.database));
  let removed = 0;
  let recorded = 0;
  for (const tenantId of tenantIds) {
    for (;;) {
      const count = await asOwner((session) => removeSome(session, sources.signer, tenantId, request.reason));
      // Durable from here. A crash leaves the rows removed and not yet recorded.
      removed += count;
      if (count < straysPerTransaction) break;
    }
    recorded += await recordRemovals(sources, tenantId, request);
  }
  await sources.logs.guard.reviewStopped();
  return { removed, recorded };
}

async function tenantsOf(database: Database): Promise<string[]> {
  const rows = await database.query<{ tenant_id: string }>(writer, tenantsSql);
  return rows.map(({ tenant_id }) => tenant_id);
}

function withSigned(signer: Signer, tenantId: string, strays: readonly Stray[]): TenantStray[] {
  const signed = signer.store.lastSignedOf(signer.logName, tenantId);
  return strays.map((stray) => {
    const size = signed.find(({ origin }) => parseOrigin(origin).epoch === stray.epoch)?.size ?? 0;
    return { ...stray, tenantId, isSigned: endOf(stray) < size };
  });
}

/** The last position that a stray is about; infinite where no record can be there. */
function endOf(stray: Stray): number {
  // An epoch that was signed belongs to the chain, whatever the head says.
  if (stray.kind === 'epoch') return 0;
  if (stray.kind === 'record') {
    return stray.sequence_number < 0 ? Number.POSITIVE_INFINITY : stray.sequence_number;
  }
  const { level, index } = stray;
  return level < 0 || level > 6 || index < 0
    ? Number.POSITIVE_INFINITY
    : (index + 1) * 256 ** (level + 1) - 1;
}

async function removeSome(
  session: Queries,
  signer: Signer,
  tenantId: string,
  reason: string,
): Promise<number> {
  // A batch that is being stored moves the head, so the strays are read after it. Epochs come first: their records are removable
  // when they are not listed any more.
  await session.query('select 1 from audit_chain_state where tenant_id = $1 for update', [tenantId]);
  const found = await findStrays(session, tenantId, straysPerTransaction, signer.knownEpochs(tenantId));
  const strays = withSigned(signer, tenantId, found);
  let removed = 0;
  for (const stray of strays) {
    if (stray.isSigned) continue;
    removed += (await removeStray(session, tenantId, stray, reason)).length;
  }
  return removed;
}

async function removeStray(
  session: Queries,
  tenantId: string,
  stray: Stray,
  reason: string,
): Promise<readonly object[]> {
  const { epoch } = stray;
  switch (stray.kind) {
    case 'epoch':
      return await session.query(removeEpochSql, [tenantId, epoch, reason]);
    case 'record': {
      const { sequence_number, audit_id } = stray;
      return await session.query(removeRecordSql, [tenantId, epoch, sequence_number, audit_id, reason]);
    }
    case 'tile':
      return await session.query(removeTileSql, [tenantId, epoch, stray.level, stray.index, reason]);
  }
}

const removeEpochSql = `
  with gone as (
    delete from audit_closed_epochs where tenant_id = $1 and epoch = $2::integer returning *
  )
  insert into audit_removed_strays (tenant_id, kind, epoch, place, content, reason)
  select tenant_id, 'epoch', epoch, last_sequence::text, convert_to(last_sequence::text, 'UTF8'), $3 from gone
  returning 1`;

const removeRecordSql = `
  with gone as (
    delete from audit_records
     where tenant_id = $1 and epoch = $2::integer and sequence_number = $3::bigint and audit_id = $4::uuid
    returning *
  )
  insert into audit_removed_strays (tenant_id, kind, epoch, place, audit_id, content, reason)
  select tenant_id, 'record', epoch, sequence_number::text, audit_id, convert_to(record, 'UTF8'), $5 from gone
  returning 1`;

const removeTileSql = `
  with gone as (
    delete from audit_tiles where tenant_id = $1 and epoch = $2::integer and level = $3::integer and index = $4::bigint
    returning *
  )
  insert into audit_removed_strays (tenant_id, kind, epoch, place, content, reason)
  select tenant_id, 'tile', epoch, level || '/' || index, hashes, $5 from gone
  returning 1`;

const openRemovalsSql = `
  select id, tenant_id, kind, epoch, place, audit_id::text as audit_id, reason, encode(sha256(content), 'hex') as content_sha256
    from audit_removed_strays
   where tenant_id = $1 and chained_at is null order by id limit ${straysPerTransaction}`;

/** Writes the records of removals that have none yet, of this call and of earlier ones. */
async function recordRemovals(
  { database, logs, appendRanges, serviceTenant }: StraySources,
  tenantId: string,
  by: { readonly by: string; readonly now: number },
): Promise<number> {
  let recorded = 0;
  for (;;) {
    const open = await database.query<RemovedStray & { readonly id: number }>(writer, openRemovalsSql, [
      tenantId,
    ]);
    if (open.length === 0) return recorded;
    // The chain may be stopped because of the rows that are removed now.
    await logs.guard.reviewStopped();
    const [head] = await database.query(
      writer,
      'select 1 from audit_chain_state where tenant_id = $1 and last_sequence >= 0',
      [tenantId],
    );
    const ids = open.map(({ id }) => id);
    const reasons = Map.groupBy(open, ({ reason }) => reason);
    await appendRanges([
      {
        items: [...reasons.values()].map((strays) =>
          straysRecord(head === undefined ? serviceTenant : tenantId, strays, by),
        ),
        closeBooks: async (session) => {
          const marked = await session.query(
            `update audit_removed_strays set chained_at = clock_timestamp()
              where id = any ($1::bigint[]) and chained_at is null returning 1`,
            [ids],
          );
          if (marked.length === ids.length) return;
          throw new ServerError(
            'STORE_UNAVAILABLE',
            'another operator recorded some of these removals just now',
          );
        },
      },
    ]);
    recorded += open.length;
  }
}
