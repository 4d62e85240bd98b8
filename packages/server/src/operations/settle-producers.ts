import type { ProducerAccount } from '@tallystick/protocol';
import type { ProducerStatement } from '../chain/batch.ts';
import { gapRecords, unclosedRecord } from '../chain/service-records/producer-records.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import type { Database } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { producerPage } from './producers.ts';

const producerIsSilent = readSql('producer-is-silent');

/** What settling needs. An `AuditService` has both. */
export interface SettleTarget {
  readonly database: Database;
  readonly appendRanges: AppendRanges;
}

/** Which accounts to settle: those that are open or unclosed and match all conditions. */
export interface SettleRequest {
  /** Only accounts of these tenants; all where absent. */
  readonly tenants: readonly string[] | undefined;
  /** Only accounts of these producers; all where absent. */
  readonly producerIds?: readonly string[] | undefined;
  /** Only producers that have been silent for this long, seconds: a running producer settles its numbers itself. */
  readonly silentSeconds: number;
}

/** What was settled, or would be. */
export interface SettleResult {
  /** Number of accounts. An account belongs to one producer and one tenant. */
  readonly accounts: number;
  /** Number of event numbers that were declared lost. */
  readonly numbers: number;
}

/** Accounts that one query returns. Each account is settled in its own transaction. */
const pageSize = 100;

/** What {@link settleProducers} would settle. Changes nothing. */
export async function countUnsettled(
  { database }: Pick<SettleTarget, 'database'>,
  request: SettleRequest,
): Promise<SettleResult> {
  let [accounts, numbers] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await unsettled(database, request, cursor);
    accounts += page.producers.length;
    for (const { open_numbers } of page.producers) numbers += open_numbers;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { accounts, numbers };
}

/**
 * Closes the accounts of abandoned producers. Each range of open numbers is declared lost with a `delivery.gap` record. An
 * account without a final number gets the highest known number as its final one, with a `delivery.unclosed` record. The
 * records name the operator who settles. An event that arrives later is chained nevertheless.
 *
 * A crash leaves some of the accounts settled, with their records. The same call settles the others.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`, `STORE_UNAVAILABLE`
 */
export async function settleProducers(
  target: SettleTarget,
  request: SettleRequest & { readonly reason: string; readonly by: string },
): Promise<SettleResult> {
  const settled = new Set<string>();
  const overtaken = new Set<string>();
  let numbers = 0;
  for (;;) {
    const { producers } = await unsettled(target.database, request);
    if (producers.length === 0) return { accounts: settled.size, numbers };
    for (const account of producers) {
      const key = `${account.submitter}\n${account.producer_id}\n${account.tenant_id}`;
      const declared = await settle(target, account, { ...request, isSecondTry: overtaken.has(key) });
      if (declared === undefined) {
        // Usually another operator has settled the account, and the next page no longer has it. If it does, another event
        // uses the id of its record: the second try stores that as a conflict.
        overtaken.add(key);
      } else {
        numbers += declared;
        settled.add(key);
      }
    }
  }
}

function unsettled(
  database: Database,
  { tenants, producerIds, silentSeconds }: SettleRequest,
  cursor?: string,
): ReturnType<typeof producerPage> {
  return producerPage(database, {
    tenants,
    producerIds,
    silentSeconds,
    silentOnly: true,
    all: false,
    limit: pageSize,
    cursor,
  });
}

/** The producer sent something meanwhile, or another operator settled its account. */
class Overtaken extends Error {}

/** @returns how many numbers were declared lost; `undefined` where the account changed meanwhile, and nothing was settled */
async function settle(
  target: SettleTarget,
  account: ProducerAccount,
  options: {
    readonly reason: string;
    readonly by: string;
    readonly silentSeconds: number;
    readonly isSecondTry: boolean;
  },
): Promise<number | undefined> {
  const { reason, by, silentSeconds, isSecondTry } = options;
  const { submitter, producer_id: producerId, tenant_id: tenantId, numbers } = account;
  // A producer that sent more after its declared last number has no last number.
  const isUnclosed = account.final_seq === null || account.final_seq < numbers;
  const statement: ProducerStatement = {
    submitter,
    producerId,
    service: account.service ?? undefined,
    gaps: account.open.map(([from, to]) => ({ tenantId, from, to, reason })),
    final: isUnclosed ? [{ tenantId, finalSeq: numbers }] : [],
    declaredBy: by,
  };
  const unclosed = isUnclosed ? [unclosedRecord(account, reason, by)] : [];
  // The writer makes the same gap records from the statement. As items they have outcomes, and are chained once.
  const items = [...unclosed, ...gapRecords([statement])];
  try {
    await target.appendRanges([
      {
        items,
        statements: [statement],
        closeBooks: async (session, outcomes) => {
          if (!isSecondTry && outcomes.some((outcome) => outcome?.status !== 'chained'))
            throw new Overtaken();
          const key = [submitter, producerId, tenantId, silentSeconds];
          const [silent] = await session.query(producerIsSilent, key);
          if (silent === undefined) throw new Overtaken();
        },
      },
    ]);
  } catch (error) {
    if (error instanceof Overtaken) return undefined;
    throw error;
  }
  return account.open.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
