import { uuidv7 } from '@tallystick/event';
import { genesisAuditId, parseOrigin } from '@tallystick/log';
import { appendBatch } from '../chain/append-batch.ts';
import { ServerError } from '../errors.ts';
import type { SignedCheckpoint } from '../proofs/checkpointer.ts';
import type { Signer } from '../proofs/signer.ts';
import type { LastSigned } from '../proofs/signer-store.ts';
import type { TenantLogs } from '../proofs/tenant-logs.ts';
import { type Database, writer } from '../store/database.ts';
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
}

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
  const epoch = Math.max(signedEpoch, ...Object.values(used).map((value) => value ?? 0)) + 1;
  const origin = signer.originOf({ tenantId, epoch });
  return { tenantId, stopped, signed, stored: stored ?? 0, epoch, origin };
}

/**
 * Abandons a stopped chain and begins a new epoch. The genesis record of the new epoch names the last signed checkpoint, the
 * records that are left, and the reason, so every verifier reports `recovered`. The records of the old epoch stay in the
 * store, and every verifier compares them with this statement.
 *
 * @param reason for people, 1 to 500 characters. It becomes a permanent part of the new chain
 * @returns the first checkpoint of the new epoch
 * @throws {ServerError} `PARAMETER_INVALID`, also where another operator has opened the epoch meanwhile
 */
export async function recoverChain(
  { signer, database, logs }: RecoverySources,
  { tenantId, signed, epoch, origin }: Recovery,
  reason: string,
): Promise<SignedCheckpoint> {
  assertReason(reason);
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
  await appendBatch(database, { items: [], openings: [opening] }, { logName: signer.logName });
  // Durable from here. A crash leaves the new epoch unsigned until the next checkpoint.
  await logs.guard.reviewStopped();
  return await logs.checkpoint(tenantId);
}
