import { uuidv7 } from '@tallystick/event';
import { formatOrigin, genesisAuditId, parseOrigin } from '@tallystick/log';
import type { AuditService } from '../app.ts';
import { appendBatch } from '../chain/append-batch.ts';
import { ServerError } from '../errors.ts';
import { writer } from '../store/database.ts';
import type { SignedHead } from './signer-store.ts';
import type { SignedCheckpoint } from './tenant-logs.ts';

/** A stopped chain, and what recovering it would do. */
export interface Recovery {
  readonly tenantId: string;
  /** Why the chain is stopped. */
  readonly stopped: string;
  /** The last head that was signed; its origin names the epoch that is to be given up. */
  readonly signed: SignedHead;
  /** Records that the store holds of that epoch. They stay where they are, and are no part of the new chain. */
  readonly stored: number;
  /** The epoch that is to be opened. */
  readonly epoch: number;
  readonly origin: string;
}

const epochsSql = `
  select (select max(epoch) from audit_records where tenant_id = $1) as records,
         (select max(epoch) from audit_chain_state where tenant_id = $1) as head,
         (select max(epoch) from audit_checkpoints where tenant_id = $1) as checkpoints,
         (select max(epoch) from audit_tiles where tenant_id = $1) as tiles,
         (select max(sequence_number) + 1 from audit_records where tenant_id = $1 and epoch = $2::integer) as stored`;

/**
 * What recovering the stopped chains would do. Changes nothing.
 *
 * @param tenantIds all that are stopped where absent
 * @throws {ServerError} `PARAMETER_INVALID` for a tenant whose chain is not stopped
 */
export async function planRecovery(
  service: AuditService,
  tenantIds: readonly string[] = [...service.logs.stopped.keys()].sort(),
): Promise<Recovery[]> {
  const plans: Recovery[] = [];
  for (const tenantId of tenantIds) plans.push(await plan(service, tenantId));
  return plans;
}

async function plan(service: AuditService, tenantId: string): Promise<Recovery> {
  const stopped = service.logs.stopped.get(tenantId);
  if (stopped === undefined) {
    throw new ServerError(
      'PARAMETER_INVALID',
      `the chain of ${tenantId} is not stopped: nothing to recover`,
      {
        details: { parameter: 'tenant' },
      },
    );
  }
  const epochOf = ({ origin }: SignedHead) => parseOrigin(origin).epoch;
  const [signed] = service.signer.store
    .heads()
    .filter(({ origin }) => parseOrigin(origin).tenantId === tenantId)
    .sort((a, b) => epochOf(b) - epochOf(a));
  // A chain is stopped because it contradicts what was signed, so something was.
  if (signed === undefined) throw new Error(`nothing was ever signed for ${tenantId}`);
  const [row] = await service.database.query<{ [of: string]: number | null }>(writer, epochsSql, [
    tenantId,
    epochOf(signed),
  ]);
  const { stored, ...used } = row!;
  const epoch = Math.max(epochOf(signed), ...Object.values(used).map((value) => value ?? 0)) + 1;
  const origin = formatOrigin({ logName: service.logs.logName, tenantId, epoch });
  return { tenantId, stopped, signed, stored: stored ?? 0, epoch, origin };
}

/**
 * Gives a stopped chain up and begins it anew: the genesis of the new epoch names the last checkpoint that was signed and
 * the reason, so that every verifier says `recovered`. The records of the old epoch stay, as the evidence that they are.
 *
 * @param reason for people, 1 to 500 characters; it stands in the new chain for good
 * @returns the first checkpoint of the new epoch
 * @throws {ServerError} `PARAMETER_INVALID`, also where somebody else has opened the epoch meanwhile
 */
export async function recoverChain(
  service: AuditService,
  { tenantId, signed, epoch, origin }: Recovery,
  reason: string,
): Promise<SignedCheckpoint> {
  assertReason(reason);
  const { signer, database, logs } = service;
  // Signed before, so it is only looked up; or made now, if a process died between recording and signing it.
  const checkpoint = (await signer.sign(signed, async () => undefined))!;
  const recovery = { checkpoint, reason };
  const derived = genesisAuditId(origin);
  const taken = await database.query(
    writer,
    'select 1 from audit_records where tenant_id = $1 and audit_id = $2::uuid',
    [tenantId, derived],
  );
  const opening = { tenantId, epoch, recovery, ...(taken.length > 0 && { auditId: uuidv7() }) };
  // First outside of the store: a store that shows an epoch which is not recorded here is refused. A crash after this
  // leaves the chain stopped, and the same epoch is opened at the next try.
  signer.store.openEpoch(origin, recovery, new Date().toISOString());
  await appendBatch(database, { items: [], openings: [opening] }, { logName: logs.logName });
  // Durable from here. A crash leaves the new epoch unsigned until the next checkpoint.
  await logs.reviewStopped();
  return await logs.checkpoint(tenantId);
}

function assertReason(reason: string): void {
  const valid =
    reason.trim() !== '' && reason.length <= 500 && reason.isWellFormed() && !/\p{Cc}/u.test(reason);
  if (valid) return;
  throw new ServerError('PARAMETER_INVALID', 'the reason must be one line of 1 to 500 characters', {
    details: { parameter: 'reason' },
  });
}
