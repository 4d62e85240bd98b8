import { mergeRanges } from '@tallystick/log';
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
  readonly highest_seen: number;
  readonly final_seq: number | null;
  readonly service: string | null;
}

/** A stored range that overlaps a range of the batch or is next to it. One that is next to two of them comes twice. */
export interface TouchedRow {
  readonly key: string;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Locks the rows of these accounts, in the order of their keys, which all replicas use. */
export function lockAccounts(accounts: readonly Account[]): Statement<AccountRow> {
  return { name: 'tally_lock_accounts', text: lockSql, values: [keysOf(accounts)] };
}

/**
 * Finds the stored ranges that overlap the batch's numbers or are next to them. An account may have any number of ranges:
 * the others are not read, so the cost of an event does not depend on them.
 *
 * A statement of its own, after the lock: a statement that waits for a lock sees the other tables as they were before it
 * waited.
 */
export function findTouchedRanges(accounts: readonly Account[]): Statement<TouchedRow> {
  const rows = accounts.flatMap((account) =>
    account.settled.map(([first, last]) => ({ ...columnsOf(account), first, last })),
  );
  return { name: 'tally_touched_ranges', text: touchedSql, values: [JSON.stringify(rows)] };
}

/** Another submitter that has an account of the same producer and tenant. */
export interface OtherSubmitterRow {
  readonly key: string;
  readonly submitter: string;
}

/** Finds the other submitters of those producers whose last number is declared. */
export function findOtherSubmitters(accounts: readonly Account[]): Statement<OtherSubmitterRow> {
  const closing = accounts.filter(({ finals }) => finals.length > 0);
  return { name: 'tally_other_submitters', text: otherSubmittersSql, values: [keysOf(closing)] };
}

/** A producer whose id (UUIDv7) is younger than this has no pruned account, seconds. */
const youngSeconds = 29 * 86_400;

/**
 * Creates the rows of accounts that have none. An account that was pruned comes back as it was: an event of its producer that
 * arrives again must not make the earlier numbers look missing.
 */
export function insertAccounts(accounts: readonly Account[]): Statement {
  return { text: insertSql, values: [keysOf(accounts), youngSeconds] };
}

/**
 * Enters what a batch settles. Part of the batch's transaction.
 *
 * @param rows of {@link lockAccounts}
 * @param touchedRows of {@link findTouchedRanges}
 */
export function settleAccounts(
  accounts: readonly Account[],
  rows: readonly AccountRow[],
  touchedRows: readonly TouchedRow[],
): Statement[] {
  if (accounts.length === 0) return [];
  const stored = new Map(rows.map((row) => [row.key, row]));
  const touchedByAccount = Map.groupBy(touchedRows, ({ key }) => key);
  const [replaced, added]: [unknown[], unknown[]] = [[], []];
  const updates = accounts.map((account) => {
    const key = accountKey(account);
    const touched = (touchedByAccount.get(key) ?? []).map(
      ({ first_seq, last_seq }): Range => [first_seq, last_seq],
    );
    const { contiguousTo, ranges } = mergeSettled(stored.get(key)!.settled_to, touched, account.settled);
    const row = (range: Range) => ({ ...columnsOf(account), first: range[0], last: range[1] });
    replaced.push(...touched.map(row));
    added.push(...ranges.map(row));
    return {
      ...columnsOf(account),
      service: account.service,
      settled_to: contiguousTo,
      highest_seen: ranges.at(-1)?.[1] ?? contiguousTo,
      final_seq: acceptedFinal(account, stored.get(key)!),
      is_ephemeral: account.isEphemeral,
      is_alive: account.isAlive,
    };
  });
  return [
    { name: 'tally_settle_accounts', text: settleSql, values: [JSON.stringify(updates)] },
    // Ranges are rare: numbers arrive in order, unless another replica or partition holds some of them.
    ...(replaced.length > 0 ? [{ text: deleteRangesSql, values: [JSON.stringify(replaced)] }] : []),
    ...(added.length > 0 ? [{ text: insertRangesSql, values: [JSON.stringify(added)] }] : []),
  ];
}

/** Notes that these accounts have a change that no chain could record. The next opening of the books puts them on record. */
export function markUnrecorded(
  accounts: readonly Pick<Account, 'submitter' | 'producerId' | 'tenantId'>[],
): Statement[] {
  return accounts.length === 0 ? [] : [{ text: markUnrecordedSql, values: [keysOf(accounts)] }];
}

/** The highest number that the account is known to have, whatever its last one is declared to be. */
export function highestKnown(account: Account, row: AccountRow): number {
  return Math.max(row.highest_seen, account.settled.at(-1)?.[1] ?? 0);
}

/**
 * The last number that the batch declares. Declarations only ever add: the account keeps the highest one, and none that is
 * below a number that is known.
 */
export function acceptedFinal(account: Account, row: AccountRow): number | null {
  const known = highestKnown(account, row);
  const accepted = account.finals.filter((final) => final >= known);
  return accepted.length === 0 ? null : Math.max(...accepted);
}

/** @returns up to which number everything is settled, and the settled ranges of the batch beyond it */
function mergeSettled(settledTo: number, touched: readonly Range[], settled: readonly Range[]) {
  const ranges = mergeRanges([...(settledTo > 0 ? [[1, settledTo] as Range] : []), ...touched, ...settled]);
  const contiguous = ranges[0]?.[0] === 1 ? ranges.shift() : undefined;
  return { contiguousTo: contiguous?.[1] ?? 0, ranges };
}

function columnsOf({
  submitter,
  producerId,
  tenantId,
}: Pick<Account, 'submitter' | 'producerId' | 'tenantId'>) {
  return { submitter, producer_id: producerId, tenant_id: tenantId };
}

function keysOf(accounts: readonly Pick<Account, 'submitter' | 'producerId' | 'tenantId'>[]): string {
  return JSON.stringify(accounts.map(columnsOf));
}

/** The same text as {@link accountKey}. */
const keySql = (row: string) =>
  `${row}.submitter || chr(10) || ${row}.producer_id || chr(10) || ${row}.tenant_id as key`;

const lockSql = `
  select ${keySql('p')}, p.settled_to, p.highest_seen, p.final_seq, p.service
    from audit_producers p
    join jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
      on (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
   order by p.submitter, p.producer_id, p.tenant_id
     for update of p`;

// Stored ranges are disjoint, so besides those that start within the batch's range only the one before it can touch it.
const touchedSql = `
  select ${keySql('k')}, r.first_seq, r.last_seq
    from jsonb_to_recordset($1::jsonb)
           as k(submitter text, producer_id uuid, tenant_id text, first bigint, last bigint)
   cross join lateral (
          select first_seq, last_seq from audit_producer_ranges
           where (submitter, producer_id, tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
             and first_seq between k.first and k.last + 1
           union all
          (select first_seq, last_seq from audit_producer_ranges
            where (submitter, producer_id, tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
              and first_seq < k.first
            order by first_seq desc limit 1)) r
   where r.last_seq >= k.first - 1`;

const otherSubmittersSql = `
  select distinct ${keySql('k')}, p.submitter
    from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
    join audit_producers p on p.producer_id = k.producer_id and p.tenant_id = k.tenant_id and p.submitter <> k.submitter`;

const insertSql = `
  insert into audit_producers (submitter, producer_id, tenant_id, settled_to, highest_seen, final_seq, on_record)
  select k.submitter, k.producer_id, k.tenant_id, coalesce(p.numbers, 0), coalesce(p.numbers, 0), p.final_seq, true
    from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
    left join lateral (
           select split_part(a, ' ', 3)::bigint as numbers,
                  case when split_part(a, ' ', 4) = 'closed' then split_part(a, ' ', 3)::bigint end as final_seq
             from audit_records r
            cross join lateral jsonb_array_elements_text(r.record::jsonb #> '{event,metadata,accounts}') as a
            where not (substr(k.producer_id::text, 15, 1) = '7'
                       and ('x' || left(replace(k.producer_id::text, '-', ''), 12))::bit(48)::bigint
                             >= extract(epoch from clock_timestamp() - make_interval(secs => $2)) * 1000)
              and r.tenant_id = k.tenant_id and r.event_type = 'audit.accounts_pruned'
              and r.record::jsonb #>> '{ingest,trust}' = 'service'
              and a like k.producer_id::text || ' %'
              and a = concat_ws(' ', k.producer_id, k.tenant_id, split_part(a, ' ', 3), split_part(a, ' ', 4), k.submitter)
            order by r.epoch desc, r.sequence_number desc
            limit 1) p on true
   order by 1, 2, 3 on conflict do nothing`;

const settleSql = `
  update audit_producers p
     set settled_to = u.settled_to, highest_seen = greatest(p.highest_seen, u.highest_seen),
         final_seq = greatest(p.final_seq, u.final_seq), service = coalesce(p.service, u.service),
         is_ephemeral = p.is_ephemeral or (u.is_ephemeral and p.highest_seen = 0 and p.final_seq is null),
         last_seen_at = case when u.is_alive then clock_timestamp() else p.last_seen_at end
    from jsonb_to_recordset($1::jsonb)
      as u(submitter text, producer_id uuid, tenant_id text, service text, settled_to bigint, highest_seen bigint,
           final_seq bigint, is_ephemeral boolean, is_alive boolean)
   where (p.submitter, p.producer_id, p.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)`;

const markUnrecordedSql = `
  update audit_producers p set on_record = false
    from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
   where (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)`;

const deleteRangesSql = `
  delete from audit_producer_ranges r
   using jsonb_to_recordset($1::jsonb)
           as u(submitter text, producer_id uuid, tenant_id text, first bigint, last bigint)
   where (r.submitter, r.producer_id, r.tenant_id) = (u.submitter, u.producer_id, u.tenant_id)
     and r.first_seq between u.first and u.last`;

const insertRangesSql = `
  insert into audit_producer_ranges (submitter, producer_id, tenant_id, first_seq, last_seq)
  select u.submitter, u.producer_id, u.tenant_id, u.first, u.last
    from jsonb_to_recordset($1::jsonb)
           as u(submitter text, producer_id uuid, tenant_id text, first bigint, last bigint)`;
