import type { Statement } from '../store/database.ts';
import { type Account, accountKey, type Range } from './accounting.ts';

/**
 * The rows that store {@link Account}s: `audit_producers` holds up to which number everything is settled,
 * `audit_producer_ranges` the ranges of settled numbers after the first open one.
 */

/** The row of an account. */
export interface AccountRow {
  readonly key: string;
  /** All numbers up to this one are settled. */
  readonly settled_to: number;
}

/** Numbers of an account that are settled beyond `settled_to`. */
export interface SettledRangeRow {
  readonly key: string;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Locks the rows of these accounts, in the order of their keys, which all replicas use. */
export function lockAccounts(accounts: readonly Account[]): Statement<AccountRow> {
  return { name: 'tally_lock_accounts', text: lockSql, values: [keysOf(accounts)] };
}

/**
 * Reads the settled ranges of these accounts. A statement of its own, after the lock: a statement that waits for a lock
 * sees the other tables as they were before it waited.
 */
export function readSettledRanges(accounts: readonly Account[]): Statement<SettledRangeRow> {
  return { name: 'tally_read_ranges', text: rangesSql, values: [keysOf(accounts)] };
}

/** Creates the rows of accounts that have none. */
export function insertAccounts(accounts: readonly Account[]): Statement {
  return { text: insertSql, values: [keysOf(accounts)] };
}

/**
 * Enters what a batch settles. Part of the batch's transaction.
 *
 * @param rows of {@link lockAccounts}
 * @param rangeRows of {@link readSettledRanges}
 */
export function settleAccounts(
  accounts: readonly Account[],
  rows: readonly AccountRow[],
  rangeRows: readonly SettledRangeRow[],
): Statement[] {
  if (accounts.length === 0) return [];
  const settledTo = new Map(rows.map((row) => [row.key, row.settled_to]));
  const rangesByAccount = Map.groupBy(rangeRows, ({ key }) => key);
  const [removed, added]: [unknown[], unknown[]] = [[], []];
  const updates = accounts.map((account) => {
    const key = accountKey(account);
    const stored = (rangesByAccount.get(key) ?? []).map(
      ({ first_seq, last_seq }): Range => [first_seq, last_seq],
    );
    const { contiguousTo, ranges } = mergeSettled(settledTo.get(key)!, stored, account.settled);
    removed.push(...without(stored, ranges).map((range) => ({ ...columnsOf(account), range })));
    added.push(...without(ranges, stored).map((range) => ({ ...columnsOf(account), range })));
    return {
      ...columnsOf(account),
      service: account.service,
      settled_to: contiguousTo,
      highest_seen: ranges.at(-1)?.[1] ?? contiguousTo,
      final_seq: account.finalSeq ?? null,
      is_alive: account.isAlive,
    };
  });
  return [
    { name: 'tally_settle_accounts', text: settleSql, values: [JSON.stringify(updates)] },
    // Ranges are rare: numbers arrive in order, unless another replica or partition holds some of them.
    ...(removed.length > 0 ? [{ text: deleteRangesSql, values: [JSON.stringify(removed)] }] : []),
    ...(added.length > 0 ? [{ text: insertRangesSql, values: [JSON.stringify(added)] }] : []),
  ];
}

/** @returns up to which number everything is settled, and the settled ranges beyond it */
function mergeSettled(settledTo: number, stored: readonly Range[], settled: readonly Range[]) {
  const ranges = mergeRanges([...(settledTo > 0 ? [[1, settledTo] as Range] : []), ...stored, ...settled]);
  const contiguous = ranges[0]?.[0] === 1 ? ranges.shift() : undefined;
  return { contiguousTo: contiguous?.[1] ?? 0, ranges };
}

/** The same numbers in as few ranges as possible, ascending. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** The ranges that are not among `others`. */
function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const known = new Set(others.map(String));
  return ranges.filter((range) => !known.has(String(range)));
}

function columnsOf({ submitter, producerId, tenantId }: Account) {
  return { submitter, producer_id: producerId, tenant_id: tenantId };
}

function keysOf(accounts: readonly Account[]): string {
  return JSON.stringify(accounts.map(columnsOf));
}

/** The same text as {@link accountKey}. */
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
         last_seen_at = case when u.is_alive then clock_timestamp() else p.last_seen_at end
    from jsonb_to_recordset($1::jsonb)
      as u(submitter text, producer_id uuid, tenant_id text, service text, settled_to bigint, highest_seen bigint,
           final_seq bigint, is_alive boolean)
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
