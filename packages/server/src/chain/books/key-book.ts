import { createHash } from 'node:crypto';
import { ServerError } from '../../errors.ts';
import { type Database, writer } from '../../store/database.ts';
import type { Batch } from '../batch.ts';
import { type CreatedKey, keyCreatedRecord, keyRevokedRecord } from '../service-records/key-records.ts';
import type { PrincipalAct } from '../service-records/service-event.ts';

/** Where keys are stored, and where each of their changes is recorded. An `AuditService` has all of it. */
export interface KeyBookTarget {
  readonly database: Database;
  readonly appendRanges: (batches: readonly Batch[]) => Promise<unknown>;
  /** Tenant of the chain that records the keys. */
  readonly serviceTenant: string;
}

const revokeSql = 'select tally_revoke_api_key($1, $2::timestamptz) as revoked';

/** Stores changes of API keys, each in one transaction with the record of it in the chain of the service's tenant. */
export class KeyBook {
  readonly #target: KeyBookTarget;

  constructor(target: KeyBookTarget) {
    this.#target = target;
  }

  /**
   * Creates a key.
   *
   * @param secretHash what the store keeps of the secret
   * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN` or `STORE_UNAVAILABLE` where no record can be written
   */
  async create(
    key: Omit<CreatedKey, 'secretSha256'>,
    secretHash: Uint8Array,
    change: Omit<PrincipalAct, 'chain'>,
  ): Promise<void> {
    const { serviceTenant: chain, appendRanges } = this.#target;
    const secretSha256 = createHash('sha256').update(secretHash).digest('hex');
    const record = keyCreatedRecord({ ...key, secretSha256 }, { ...change, chain });
    await appendRanges([
      {
        items: [record],
        closeBooks: async (session) => {
          await session.query('select tally_create_api_key($1, $2::uuid, $3::bytea)', [
            chain,
            record.event.audit_id,
            secretHash,
          ]);
        },
      },
    ]);
  }

  /**
   * Revokes a key that is not revoked. A chain that takes no record does not keep a key alive: the key is revoked without one,
   * and the verification reports that until the recovery of the chain puts it on record.
   */
  async revoke(id: string, change: Omit<PrincipalAct, 'chain'>): Promise<void> {
    const { database, appendRanges, serviceTenant: chain } = this.#target;
    const at = new Date(change.now).toISOString();
    try {
      await appendRanges([
        {
          items: [keyRevokedRecord(id, { ...change, chain })],
          closeBooks: async (session) => {
            const [row] = await session.query<{ revoked: boolean }>(revokeSql, [id, at]);
            if (row?.revoked !== true) throw new RevokedMeanwhile();
          },
        },
      ]);
    } catch (error) {
      if (error instanceof RevokedMeanwhile) return;
      if (!takesNoRecord(error)) throw error;
      await database.query(writer, revokeSql, [id, at]);
    }
  }
}

/** Another caller has revoked the key, and has recorded it. */
class RevokedMeanwhile extends Error {}

/** Whether the chain is stopped, or its head is ahead of the clock. */
export function takesNoRecord(error: unknown): boolean {
  return (
    error instanceof ServerError && (error.code === 'CHAIN_STOPPED' || error.code === 'CLOCK_BEHIND_CHAIN')
  );
}
