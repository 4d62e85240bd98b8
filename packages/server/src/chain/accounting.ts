import { mergeRanges } from '@tallystick/log';
import type { BatchItem, ProducerStatement } from './batch.ts';
import { topicOfSource } from './source-position.ts';

/**
 * Accounting of producers' numbers. Each number ends as chained, duplicate, dead-lettered or declared lost. Every other
 * number is open, and is reported until its event arrives. The numbers serve accounting only, never the order of records.
 */

/** A range of whole numbers, both ends included. */
export type Range = [first: number, last: number];

/** What a batch settles of the numbers of one producer for one tenant. */
export interface Account {
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  readonly service: string | undefined;
  /** Numbers that were declared as the last one. */
  readonly finals: readonly number[];
  readonly isEphemeral: boolean;
  /** In as few ranges as possible, ascending. */
  readonly settled: readonly Range[];
  /** Whether the batch contains something that the producer itself sent, which is a sign of life. */
  readonly isAlive: boolean;
}

type MutableAccount = { -readonly [K in keyof Account]: Account[K] } & { settled: Range[]; finals: number[] };

/** One account for each submitter, producer and tenant that a batch mentions. */
export function accountsOf(
  items: readonly BatchItem[],
  statements: readonly ProducerStatement[],
): readonly Account[] {
  const accounts = new Map<string, MutableAccount>();
  const open = (submitter: string, producerId: string, tenantId: string): MutableAccount => {
    const key = accountKey({ submitter, producerId, tenantId });
    const known = accounts.get(key);
    if (known !== undefined) return known;
    const account: MutableAccount = {
      submitter,
      producerId,
      tenantId,
      service: undefined,
      finals: [],
      isEphemeral: false,
      settled: [],
      isAlive: false,
    };
    accounts.set(key, account);
    return account;
  };
  for (const item of items) {
    const tenantId = 'deadLetter' in item ? item.deadLetter.tenantId : item.event.tenant_id;
    const { ingest } = item;
    if (ingest?.producer_id === undefined || ingest.producer_seq === undefined || tenantId === undefined)
      continue;
    const sequence = ingest.producer_seq;
    const account = open(submitterOf(ingest), ingest.producer_id, tenantId);
    account.settled.push([sequence, sequence]);
    account.isAlive = true;
  }
  for (const { submitter, producerId, service, gaps, final, declaredBy, ephemeral } of statements) {
    const mentioned = (tenantId: string) => {
      const account = open(submitter, producerId, tenantId);
      account.isAlive ||= declaredBy === undefined;
      return account;
    };
    for (const { tenantId, from, to } of gaps) mentioned(tenantId).settled.push([from, to]);
    for (const { tenantId, finalSeq } of final) mentioned(tenantId).finals.push(finalSeq);
    for (const account of accounts.values()) {
      if (account.submitter !== submitter || account.producerId !== producerId) continue;
      account.service ??= service;
      account.isEphemeral ||= ephemeral === true;
    }
  }
  return [...accounts.values()].map((account) => ({ ...account, settled: mergeRanges(account.settled) }));
}

/**
 * Who is responsible for a producer's numbers: the API key that authenticated the request, or else the source. For
 * messages that is the topic without the partition: a tenant's next number may arrive through another partition.
 */
export function submitterOf(ingest: {
  readonly principal?: string | undefined;
  readonly source: string;
}): string {
  return ingest.principal ?? topicOfSource(ingest.source);
}

/** Identifies an account. `account-rows.ts` builds the same text in SQL. */
export function accountKey({
  submitter,
  producerId,
  tenantId,
}: Pick<Account, 'submitter' | 'producerId' | 'tenantId'>): string {
  return `${submitter}\n${producerId}\n${tenantId}`;
}
