import { createHash } from 'node:crypto';
import { uuidv7Time, uuidv8FromDigest } from '@tallystick/event';
import type { Statement } from '../store/database.ts';
import type { Batch, EventItem, ProducerStatement } from './batch.ts';
import { serviceEvent } from './conflict.ts';
import { withoutPlace } from './message-source.ts';
import { mergeRanges, type Range } from './ranges.ts';

/**
 * Accounting of producers' numbers. Each ends as chained, duplicate, dead-lettered or declared lost; what is none of
 * these is open, and reported until it turns up. The numbers are for accounting only, never for order.
 */

/** The records of declared losses, one for each gap; their ids are derived, so that a retry adds nothing. */
export function gapRecords(statements: readonly ProducerStatement[]): EventItem[] {
  return statements.flatMap(({ submitter, producerId, service, gaps, saidBy }) =>
    gaps.map(({ tenantId, from, to, reason }) => {
      const identity = `tallystick/gap/v1\0${submitter}\0${producerId}\0${tenantId}\0${from}\0${to}`;
      return serviceEvent({
        audit_id: uuidv8FromDigest(createHash('sha256').update(identity).digest()),
        tenant_id: tenantId,
        // When the producer began: the same whenever it is declared again, so that the event's bytes are the same too.
        // When the loss was learnt is the record's own ingested_at.
        timestamp: new Date(uuidv7Time(producerId) ?? 0).toISOString(),
        event_type: 'delivery.gap',
        severity: 'warning',
        ...(saidBy !== undefined && { actor_type: 'service', actor_id: saidBy }),
        target_type: 'producer',
        target_id: producerId,
        metadata: {
          producer_id: producerId,
          submitter,
          from,
          to,
          events: to - from + 1,
          reason,
          ...(service !== undefined && { service }),
        },
      });
    }),
  );
}

/** What a batch settles of one producer's numbers for one tenant. */
export interface Account {
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  service: string | undefined;
  finalSeq: number | undefined;
  settled: Range[];
  /** Whether the producer itself has been heard of. */
  heard: boolean;
}

/** An account as the store has it. */
export interface BookRow {
  readonly key: string;
  readonly settled_to: number;
}

/** Numbers of an account that are settled beyond `settled_to`. */
export interface RangeRow {
  readonly key: string;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Locks the books of these accounts, in an order that all replicas keep. */
export function lockAccounts(accounts: readonly Account[]): Statement<BookRow> {
  return { name: 'tally_lock_accounts', text: lockSql, values: [keysOf(accounts)] };
}

/**
 * Reads the ranges of these accounts. A statement of its own, behind the lock: one that waits for a lock goes on with
 * what it saw of other tables before.
 */
export function readRanges(accounts: readonly Account[]): Statement<RangeRow> {
  return { name: 'tally_read_ranges', text: rangesSql, values: [keysOf(accounts)] };
}

/** Makes books for accounts that have none. */
export function insertAccounts(accounts: readonly Account[]): Statement {
  return { text: insertSql, values: [keysOf(accounts)] };
}

/**
 * Enters what a batch settles into the books. Part of the batch's transaction.
 *
 * @param books of {@link lockAccounts}
 * @param ranges of {@link readRanges}
 */
export function settleAccounts(
  accounts: readonly Account[],
  books: readonly BookRow[],
  ranges: readonly RangeRow[],
): Statement[] {
  if (accounts.length === 0) return [];
  const settledTo = new Map(books.map((book) => [book.key, book.settled_to]));
  const rangesBefore = Map.groupBy(ranges, ({ key }) => key);
  const [gone, come]: [unknown[], unknown[]] = [[], []];
  const updates = accounts.map((account) => {
    const key = keyOf(account);
    const settled_to = settledTo.get(key)!;
    const before = (rangesBefore.get(key) ?? []).map(
      ({ first_seq, last_seq }): Range => [first_seq, last_seq],
    );
    const settledBefore: Range[] = settled_to > 0 ? [[1, settled_to]] : [];
    const all = mergeRanges([...settledBefore, ...before, ...account.settled]);
    const contiguous = all[0]?.[0] === 1 ? all.shift()! : undefined;
    gone.push(...without(before, all).map((range) => ({ ...columnsOf(account), range })));
    come.push(...without(all, before).map((range) => ({ ...columnsOf(account), range })));
    return {
      ...columnsOf(account),
      service: account.service,
      settled_to: contiguous?.[1] ?? 0,
      highest_seen: all.at(-1)?.[1] ?? contiguous?.[1] ?? 0,
      final_seq: account.finalSeq ?? null,
      heard: account.heard,
    };
  });
  const statements = [{ name: 'tally_settle_accounts', text: settleSql, values: [JSON.stringify(updates)] }];
  // Ranges are rare: numbers come in order, but for what another replica or partition still holds.
  return [
    ...statements,
    ...(gone.length > 0 ? [{ text: deleteRangesSql, values: [JSON.stringify(gone)] }] : []),
    ...(come.length > 0 ? [{ text: insertRangesSql, values: [JSON.stringify(come)] }] : []),
  ];
}

/** As {@link keyOf}. */
const keySql = (row: string) =>
  `${row}.submitter || chr(10) || ${row}.producer_id || chr(10) || ${row}.tenant_id as key`;

const lockSql = `
  select ${keySql('p')}, p.settled_to
    from audit_producers p
    join jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
      on (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
   order by p.submitter, p.producer_id, p.tenant_id
     for update of p`;

const rangesSql = `
  select ${keySql('r')}, r.first_seq, r.last_seq
    from audit_producer_ranges r
    join jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
      on (r.submitter, r.producer_id, r.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)`;

const insertSql = `
  insert into audit_producers (submitter, producer_id, tenant_id)
  select k.submitter, k.producer_id, k.tenant_id
    from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
   order by 1, 2, 3 on conflict do nothing`;

const settleSql = `
  update audit_producers p
     set settled_to = u.settled_to, highest_seen = greatest(p.highest_seen, u.highest_seen),
         final_seq = coalesce(u.final_seq, p.final_seq), service = coalesce(p.service, u.service),
         last_seen_at = case when u.heard then clock_timestamp() else p.last_seen_at end
    from jsonb_to_recordset($1::jsonb)
      as u(submitter text, producer_id uuid, tenant_id text, service text, settled_to bigint, highest_seen bigint,
           final_seq bigint, heard boolean)
   where (p.submitter, p.producer_id, p.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)`;

const deleteRangesSql = `
  delete from audit_producer_ranges r
   using jsonb_to_recordset($1::jsonb) as u(submitter text, producer_id uuid, tenant_id text, range jsonb)
   where (r.submitter, r.producer_id, r.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)
     and r.first_seq = (u.range ->> 0)::bigint`;

const insertRangesSql = `
  insert into audit_producer_ranges (submitter, producer_id, tenant_id, first_seq, last_seq)
  select u.submitter, u.producer_id, u.tenant_id, (u.range ->> 0)::bigint, (u.range ->> 1)::bigint
    from jsonb_to_recordset($1::jsonb) as u(submitter text, producer_id uuid, tenant_id text, range jsonb)`;

function columnsOf({ submitter, producerId, tenantId }: Account) {
  return { submitter, producer_id: producerId, tenant_id: tenantId };
}

function keysOf(accounts: readonly Account[]): string {
  return JSON.stringify(accounts.map(columnsOf));
}

/** Those of `ranges` that are not among `others`. */
function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const known = new Set(others.map(String));
  return ranges.filter((range) => !known.has(String(range)));
}

/** One account for each (submitter, producer, tenant) that a batch says something of. */
export function accountsOf(batch: Pick<Batch, 'items' | 'statements'>): Account[] {
  const accounts = new Map<string, Account>();
  const open = (submitter: string, producerId: string, tenantId: string): Account => {
    const fresh: Account = {
      submitter,
      producerId,
      tenantId,
      service: undefined,
      finalSeq: undefined,
      settled: [],
      heard: false,
    };
    const key = keyOf(fresh);
    const account = accounts.get(key) ?? fresh;
    accounts.set(key, account);
    return account;
  };
  for (const item of batch.items) {
    const tenantId = 'deadLetter' in item ? item.deadLetter.tenantId : item.event.tenant_id;
    const { ingest } = item;
    if (ingest?.producer_id === undefined || ingest.producer_seq === undefined || tenantId === undefined)
      continue;
    const sequence = ingest.producer_seq;
    const account = open(submitterOf(ingest), ingest.producer_id, tenantId);
    account.settled.push([sequence, sequence]);
    account.heard = true;
  }
  for (const { submitter, producerId, service, gaps, final, saidBy } of batch.statements ?? []) {
    const said = (tenantId: string) => {
      const account = open(submitter, producerId, tenantId);
      account.heard ||= saidBy === undefined;
      return account;
    };
    for (const { tenantId, from, to } of gaps) said(tenantId).settled.push([from, to]);
    for (const { tenantId, finalSeq } of final) said(tenantId).finalSeq = finalSeq;
    for (const account of accounts.values()) {
      if (account.submitter === submitter && account.producerId === producerId) account.service ??= service;
    }
  }
  return [...accounts.values()];
}

/**
 * Who vouches for a producer's numbers: the authenticated key, or the source where nobody was authenticated. For messages
 * that is their topic, whatever the partition: a tenant's next number may come through another one.
 */
export function submitterOf(ingest: {
  readonly principal?: string | undefined;
  readonly source: string;
}): string {
  return ingest.principal ?? withoutPlace(ingest.source);
}

function keyOf(account: Pick<Account, 'submitter' | 'producerId' | 'tenantId'>): string {
  return `${account.submitter}\n${account.producerId}\n${account.tenantId}`;
}
