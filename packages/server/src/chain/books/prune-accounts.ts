import { ServerError } from '../../errors.ts';
import { type Database, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import type { Batch } from '../batch.ts';
import { accountsPrunedRecord, type PrunedAccount } from '../service-records/accounts-pruned-record.ts';

const findPrunable = readSql('find-prunable-accounts');

/** What pruning needs. An `AuditService` has all of it. */
export interface PruneTarget {
  readonly database: Database;
  readonly appendRanges: (batches: readonly Batch[]) => Promise<unknown>;
  readonly serviceTenant: string;
}

/** How long an account that is closed is kept, seconds: thirty days. */
const keepSeconds = 30 * 86_400;

type Prunable = PrunedAccount & { readonly tenant_id: string; readonly chain: string };

/**
 * Deletes the accounts of producers that have ended, so that the table does not grow with every process that ever ran. Each
 * chain gets an `audit.accounts_pruned` record of its accounts, in the same transaction. An account with open numbers, or
 * without a last number unless it is ephemeral, is never deleted.
 *
 * A crash leaves some of the accounts deleted, with their records. The next round deletes the others.
 *
 * @param isStopped consulted between two transactions
 * @returns how many accounts were deleted
 */
export async function pruneAccounts(
  target: PruneTarget,
  now: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let pruned = 0;
  /** Tenants of chains that take no records now. Their accounts wait. */
  const waiting = new Set<string>();
  for (;;) {
    const found = await target.database.query<Prunable>(writer, findPrunable, [
      keepSeconds,
      target.serviceTenant,
      [...waiting],
    ]);
    if (found.length === 0) return pruned;
    for (const [chain, accounts] of Map.groupBy(found, (account) => account.chain)) {
      if (isStopped()) return pruned;
      if (await pruneOf(target, chain, accounts, now)) pruned += accounts.length;
      else for (const { tenant_id } of accounts) waiting.add(tenant_id);
    }
  }
}

/** @returns false if the chain takes no records, or an account has changed meanwhile */
async function pruneOf(
  { appendRanges }: PruneTarget,
  chain: string,
  accounts: readonly Prunable[],
  now: number,
): Promise<boolean> {
  try {
    await appendRanges([
      {
        items: [accountsPrunedRecord(chain, accounts, now)],
        closeBooks: async (session) => {
          const [row] = await session.query<{ pruned: number }>(
            'select tally_prune_accounts($1::jsonb) as pruned',
            [JSON.stringify(accounts)],
          );
          if (row!.pruned !== accounts.length) throw new ChangedMeanwhile();
        },
      },
    ]);
    return true;
  } catch (error) {
    if (error instanceof ChangedMeanwhile) return false;
    if (!(error instanceof ServerError)) throw error;
    if (error.code !== 'CHAIN_STOPPED' && error.code !== 'CLOCK_BEHIND_CHAIN') throw error;
    return false;
  }
}

/** A producer has sent something, or another process has pruned its account. */
class ChangedMeanwhile extends Error {}

/** Prunes while the service runs. The timer does not keep the process alive. */
export function keepAccountsPruned(
  target: PruneTarget,
  now: () => number,
  onError: (error: unknown) => void,
  intervalMs: number = 60 * 60 * 1000,
): { stop(): void } {
  let stopped = false;
  const timer = setInterval(() => {
    pruneAccounts(target, now(), () => stopped).catch(onError);
  }, intervalMs);
  timer.unref();
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}
