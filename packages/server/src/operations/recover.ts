import { uuidv7 } from '@tallystick/event';
import { genesisAuditId, parseOrigin } from '@tallystick/log';
import { entryOfAccount, readAccounts } from '@tallystick/verify';
import { appendBatch } from '../chain/append-batch.ts';
import type { EventItem } from '../chain/batch.ts';
import { adoptedAccountsRecords } from '../chain/service-records/books-opened-record.ts';
import { ServerError } from '../errors.ts';
import type { SignedCheckpoint } from '../proofs/checkpointer.ts';
import type { Signer } from '../proofs/signer.ts';
import type { LastSigned } from '../proofs/signer-store.ts';
import type { TenantLogs } from '../proofs/tenant-logs.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import type { OwnerAccess } from '../store/owner.ts';
import { isStrayReason } from '../store/strays.ts';
import { stateClosedEpochs } from './closed-statement.ts';
import { assertReason } from './reason.ts';

/** What a recovery works on. An `AuditService` has all of it. */
export interface RecoverySources {
  readonly database: Database;
  readonly signer: Signer;
  readonly logs: TenantLogs;
}

/** A stopped chain, and what its recovery would do. */
export interface Recovery {
  readonly tenantId: string;
  /** Why the chain is stopped. */
  readonly stopped: string;
  /** The last checkpoint that was signed. Its origin names the epoch that the recovery abandons. */
  readonly signed: LastSigned;
  /** Records that the store has of that epoch. They stay in the store, and do not become part of the new chain. */
  readonly stored: number;
  /** The epoch that the recovery opens. */
  readonly epoch: number;
  readonly origin: string;
  /**
   * The epoch that somebody wrote into the head, where no epoch can follow it. The recovery sets the head back to the signed
   * epoch first, with the rights of the database's owner.
   */
  readonly headToLower?: number;
}

/** The largest value of PostgreSQL's `integer`. */
const maxEpoch = 2 ** 31 - 1;

const epochsSql = `
  select (select max(epoch) from audit_chain_ranges where tenant_id = $1) as chain,
         (select max(epoch) from audit_chain_state where tenant_id = $1) as head,
         (select max(sequence_number) + 1 from audit_records where tenant_id = $1 and epoch = $2::integer) as stored`;

const storeCheckpointSql = `
  insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, epoch, size) do update set root = excluded.root, note = excluded.note`;

/**
 * What a recovery of the stopped chains would do. Changes nothing.
 *
 * @param tenantIds absent: all chains that are stopped because they contradict what was signed
 * @throws {ServerError} `PARAMETER_INVALID` for a tenant whose chain is not stopped, or is stopped for a planted row only
 */
export async function planRecovery(
  sources: RecoverySources,
  tenantIds: readonly string[] = contradictingChains(sources.logs),
): Promise<Recovery[]> {
  const plans: Recovery[] = [];
  for (const tenantId of tenantIds) plans.push(await plan(sources, tenantId));
  return plans;
}

/** A planted row is removed; nothing was lost then, and no epoch is to be opened. */
function contradictingChains({ stopped }: TenantLogs): string[] {
  return [...stopped].flatMap(([tenantId, reason]) => (isStrayReason(reason) ? [] : [tenantId])).sort();
}

async function plan({ database, signer, logs }: RecoverySources, tenantId: string): Promise<Recovery> {
  const stopped = logs.stopped.get(tenantId);
  if (stopped === undefined) {
    throw new ServerError(
      'PARAMETER_INVALID',
      `the chain of ${tenantId} is not stopped: there is nothing to recover`,
      { details: { parameter: 'tenant' } },
    );
  }
  if (isStrayReason(stopped)) {
    throw new ServerError('PARAMETER_INVALID', `the chain of ${tenantId} needs no new epoch: ${stopped}`, {
      details: { parameter: 'tenant' },
    });
  }
  const signed = signer.store.newestOf(tenantId);
  // A chain is stopped because it contradicts a signed checkpoint, so there is one.
  if (signed === undefined) throw new Error(`no checkpoint was ever signed for ${tenantId}`);
  const signedEpoch = parseOrigin(signed.origin).epoch;
  const [row] = await database.query<{ [of: string]: number | null }>(writer, epochsSql, [
    tenantId,
    signedEpoch,
  ]);
  const { stored, ...used } = row!;
  const next = Math.max(signedEpoch, ...Object.values(used).map((value) => value ?? 0)) + 1;
  const head = used.head ?? 0;
  const above = head < maxEpoch ? Math.max(signedEpoch, head) : signedEpoch;
  const epoch = next <= maxEpoch ? next : await freeEpoch(database, tenantId, above);
  const origin = signer.originOf({ tenantId, epoch });
  const plan = { tenantId, stopped, signed, stored: stored ?? 0, epoch, origin };
  return head < maxEpoch ? plan : { ...plan, headToLower: head };
}

const usedSql = `
  select 1 from audit_records where tenant_id = $1 and epoch = $2::integer
  union all select 1 from audit_tiles where tenant_id = $1 and epoch = $2::integer
  union all select 1 from audit_checkpoints where tenant_id = $1 and epoch = $2::integer
  union all select 1 from audit_closed_epochs where tenant_id = $1 and epoch = $2::integer
  limit 1`;

/** The first epoch after `above` that has no row. */
async function freeEpoch(database: Database, tenantId: string, above: number): Promise<number> {
  for (let epoch = above + 1; ; epoch++) {
    if ((await database.query(writer, usedSql, [tenantId, epoch])).length === 0) return epoch;
  }
}

const lowerHeadSql = `
  update audit_chain_state
     set epoch = $2::integer, last_sequence = $3::bigint, appended_epoch = 0, appended_to = -1
   where tenant_id = $1 and epoch = $4::integer`;

/** A crash after it leaves a head that contradicts what was signed: the chain is still stopped, and can be recovered. */
async function lowerHead(
  asOwner: OwnerAccess | undefined,
  { tenantId, signed }: Recovery,
  head: number,
): Promise<void> {
  if (asOwner === undefined) {
    const message = `the head of ${tenantId} is in epoch ${head}: only the owner of the database can set it back`;
    throw new ServerError('CONFIG_INVALID', message);
  }
  const { epoch } = parseOrigin(signed.origin);
  await asOwner((session) => session.query(lowerHeadSql, [tenantId, epoch, signed.size - 1, head]));
}

/** Records that state the accounts of the tenant's producers as they are now. */
async function accountsOnRecord(database: Database, tenantId: string): Promise<EventItem[]> {
  const snapshot = await readAccounts((sql, values) => database.query(writer, sql, values), tenantId, []);
  return adoptedAccountsRecords(tenantId, (snapshot?.accounts ?? []).map(entryOfAccount), Date.now());
}

/**
 * Abandons a stopped chain and begins a new epoch. The genesis record of the new epoch names the last signed checkpoint, the
 * records that are left, and the reason, so every verifier reports `recovered`. The records of the old epoch stay in the
 * store, and every verifier compares them with this statement.
 *
 * @param reason for people, 1 to 500 characters. It becomes a permanent part of the new chain
 * @param asOwner only needed where the plan has a `headToLower`
 * @returns the first checkpoint of the new epoch
 * @throws {ServerError} `PARAMETER_INVALID`, also where another operator has opened the epoch meanwhile; `CONFIG_INVALID`
 *   where the owner's rights are needed and not given
 */
export async function recoverChain(
  { signer, database, logs }: RecoverySources,
  plan: Recovery,
  reason: string,
  asOwner?: OwnerAccess,
): Promise<SignedCheckpoint> {
  assertReason(reason);
  const { tenantId, signed, epoch, origin, headToLower } = plan;
  if (headToLower !== undefined) await lowerHead(asOwner, plan, headToLower);
  // The signer returns the note that it made before. It makes the note now where a process died between recording the
  // checkpoint and signing it.
  const checkpoint = (await signer.sign(signed, async () => undefined))!;
  // The store may have lost it. It says how far the closed epoch reaches, for good.
  await database.query(writer, storeCheckpointSql, [
    tenantId,
    parseOrigin(signed.origin).epoch,
    signed.size,
    Buffer.from(signed.root),
    checkpoint,
  ]);
  const recovery = { checkpoint, reason, closed: await stateClosedEpochs(database, signer, tenantId) };
  const derivedId = genesisAuditId(origin);
  const taken = await database.query(
    writer,
    'select 1 from audit_records where tenant_id = $1 and audit_id = $2::uuid',
    [tenantId, derivedId],
  );
  const opening = { tenantId, epoch, recovery, ...(taken.length > 0 && { auditId: uuidv7() }) };
  // Recorded with the signer first: the guard stops a chain whose epoch is not recorded there. After a crash here the chain
  // is still stopped, and the next try opens the same epoch.
  signer.store.openEpoch(origin, recovery, new Date().toISOString());
  // What is left of the old epochs may no longer show why the accounts are as they are.
  const items = await accountsOnRecord(database, tenantId);
  const closeBooks = async (session: Session) => {
    await session.query('update audit_producers set on_record = true where tenant_id = $1', [tenantId]);
  };
  await appendBatch(database, { items, openings: [opening], closeBooks }, { logName: signer.logName });
  // Durable from here. A crash leaves the new epoch unsigned until the next checkpoint.
  await logs.guard.reviewStopped();
  // Rows that were planted in the meantime still stop the chain. They are not part of the new one.
  return await logs.checkpointer.checkpoint(tenantId, { withStrays: true });
}
