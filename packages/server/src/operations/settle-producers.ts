import type { ProducerAccount } from '@tallystick/protocol';
import type { AuditService } from '../app.ts';
import type { ProducerStatement } from '../chain/batch.ts';
import { gapRecords, unclosedRecord } from '../chain/service-records/producer-records.ts';
import { readSql } from '../store/sql.ts';
import { producerPage } from './producers.ts';

const producerIsSilent = readSql('producer-is-silent');

/** Which accounts are meant: those that want attention and fit all that is said. */
export interface SettleRequest {
  /** Only these; every one where absent. */
  readonly tenants: readonly string[] | undefined;
  /** Only these; every one where absent. */
  readonly producerIds?: readonly string[] | undefined;
  /** How long a producer must have been silent, seconds: of one that may still speak nobody should say the last word. */
  readonly silentSeconds: number;
}

/** What was settled, or would be. */
export interface SettleResult {
  /** One for each producer and tenant. */
  readonly accounts: number;
  /** Numbers that were declared lost. */
  readonly numbers: number;
}

/** Accounts that are looked up at a time; each is settled in a transaction of its own. */
const pageSize = 100;

/** How many accounts a settlement would mean. */
export async function countUnsettled(service: AuditService, request: SettleRequest): Promise<SettleResult> {
  let [accounts, numbers] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await unsettled(service, request, cursor);
    accounts += page.producers.length;
    for (const { open_numbers } of page.producers) numbers += open_numbers;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { accounts, numbers };
}

/**
 * Says the last word for producers that are gone: their open numbers are declared lost, each range a `delivery.gap`, and
 * one that has not said its last number gets the highest that is known, with a `delivery.unclosed`; all in the name of
 * whoever settles. An event that turns up later all the same is chained.
 *
 * A crash leaves some of the accounts settled, with their records; the same call again settles the others.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`, `STORE_UNAVAILABLE`
 */
export async function settleProducers(
  service: AuditService,
  request: SettleRequest & { readonly reason: string; readonly by: string },
): Promise<SettleResult> {
  const settled = new Set<string>();
  const disputed = new Set<string>();
  let numbers = 0;
  for (;;) {
    const { producers } = await unsettled(service, request);
    if (producers.length === 0) return { accounts: settled.size, numbers };
    for (const account of producers) {
      const key = `${account.submitter}\n${account.producer_id}\n${account.tenant_id}`;
      const declared = await settle(service, account, { ...request, isDisputed: disputed.has(key) });
      // If nobody else has settled it, it comes round once more, and what stands in its place is told as a conflict.
      if (declared === undefined) disputed.add(key);
      if (declared === undefined) continue;
      numbers += declared;
      settled.add(key);
    }
  }
}

function unsettled(
  { database }: AuditService,
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

/** The producer was heard of meanwhile, or somebody else has settled its account. */
class Overtaken extends Error {}

/** @returns how many numbers were declared lost; nothing where somebody was first */
async function settle(
  service: AuditService,
  account: ProducerAccount,
  {
    reason,
    by,
    silentSeconds,
    isDisputed,
  }: {
    readonly reason: string;
    readonly by: string;
    readonly silentSeconds: number;
    readonly isDisputed: boolean;
  },
): Promise<number | undefined> {
  const { submitter, producer_id: producerId, tenant_id: tenantId, numbers } = account;
  const statement: ProducerStatement = {
    submitter,
    producerId,
    service: account.service ?? undefined,
    gaps: account.open.map(([from, to]) => ({ tenantId, from, to, reason })),
    final: account.final_seq === null ? [{ tenantId, finalSeq: numbers }] : [],
    declaredBy: by,
  };
  const unclosed = account.final_seq === null ? [unclosedRecord(account, reason, by)] : [];
  // As items they are answered for; the statement makes the same, which are duplicates of these.
  const items = [...unclosed, ...gapRecords([statement])];
  try {
    await service.appendRanges([
      {
        items,
        statements: [statement],
        closeBooks: async (session, outcomes) => {
          if (!isDisputed && outcomes.some((outcome) => outcome?.status !== 'chained')) throw new Overtaken();
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
