import { type AccountEntry, type NumberRange, readRecord } from '@tallystick/log';
import type { Query } from '../read-store.ts';
import { type AccountSlice, allAccounts, sliceCondition } from './account-slice.ts';

/** The account of a producer as its tables have it. */
export interface AccountState {
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  readonly service: string | null;
  readonly settledTo: number;
  readonly highestSeen: number;
  readonly finalSeq: number | null;
  readonly isEphemeral: boolean;
  /** Whether every change of it follows from a record. */
  readonly isOnRecord: boolean;
  /** Settled numbers after `settledTo`, ascending. */
  readonly ranges: readonly NumberRange[];
}

/** How far a chain reached when accounts were read. */
export interface ChainEnd {
  readonly epoch: number;
  readonly sequence: number;
}

/** Accounts, and how far the chains of these tenants reached at the same moment. */
export interface AccountsSnapshot {
  readonly accounts: readonly AccountState[];
  readonly ends: ReadonlyMap<string, ChainEnd>;
}

const columns = `
  p.submitter, p.producer_id::text as producer_id, p.tenant_id, p.service, p.settled_to::text as settled_to,
  p.highest_seen::text as highest_seen, p.final_seq::text as final_seq, p.is_ephemeral, p.on_record,
  (select json_agg(json_build_array(r.first_seq, r.last_seq) order by r.first_seq)::text
     from audit_producer_ranges r
    where (r.submitter, r.producer_id, r.tenant_id) = (p.submitter, p.producer_id, p.tenant_id)) as ranges`;

const endsSql = `
  (select coalesce(json_object_agg(s.tenant_id, json_build_array(s.epoch, s.last_sequence)), '{}')::text
     from audit_chain_state s where s.tenant_id = any ($2::text[]))`;

/**
 * Reads the accounts of a tenant in one statement with the ends of chains, so that records that are chained meanwhile are not
 * compared with accounts that were read before.
 *
 * @param slice the accounts to read; all by default
 * @returns `undefined` for a store of an earlier version, whose accounts are not on record
 */
export async function readAccounts(
  query: Query,
  tenantId: string,
  chains: readonly string[],
  slice: AccountSlice = allAccounts,
): Promise<AccountsSnapshot | undefined> {
  if (!(await hasAccountBooks(query))) return undefined;
  const rows = await query(
    `select ${columns}, e.ends
       from (select ${endsSql} as ends) e left join audit_producers p on p.tenant_id = $1 and ${sliceCondition('p', 3)}
      order by p.submitter, p.producer_id`,
    [tenantId, chains, slice.bits, slice.value],
  );
  const ends = JSON.parse(String(rows[0]!.ends)) as { readonly [tenant: string]: [number, number] };
  return {
    accounts: rows.filter(({ submitter }) => submitter !== null).map(accountState),
    ends: new Map(Object.entries(ends).map(([tenant, [epoch, sequence]]) => [tenant, { epoch, sequence }])),
  };
}

/** How many accounts of a tenant, and open ranges of them, the tables have. */
export async function countAccounts(
  query: Query,
  tenantId: string,
): Promise<{ accounts: number; ranges: number }> {
  const [row] = await query(
    `select (select count(*) from audit_producers where tenant_id = $1)::text as accounts,
            (select count(*) from audit_producer_ranges where tenant_id = $1)::text as ranges`,
    [tenantId],
  );
  return { accounts: Number(row!.accounts), ranges: Number(row!.ranges) };
}

/**
 * Whether the service has put the accounts of earlier versions on record. Until then, what such an account says is not known
 * from records.
 *
 * @param serviceTenant tenant of the chain that has the record
 */
export async function areAccountsOpened(query: Query, serviceTenant: string): Promise<boolean> {
  const rows = await query(
    `select r.record from audit_records r
       join audit_chain_ranges g
         on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
      where r.tenant_id = $1 and r.event_type = 'audit.books_opened'
        and position('"accounts_complete":true' in r.record) > 0`,
    [serviceTenant],
  );
  return rows.some(({ record }) => isOpening(String(record)));
}

function isOpening(text: string): boolean {
  try {
    const { event, ingest } = readRecord(text);
    const metadata = event.metadata as { readonly accounts_complete?: unknown } | undefined;
    return ingest.trust === 'service' && metadata?.accounts_complete === true;
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return false;
  }
}

/** Accounts that are not on record, `limit` at most. */
export async function readUnrecordedAccounts(query: Query, limit: number): Promise<AccountState[]> {
  const rows = await query(
    `select ${columns} from audit_producers p
      where not p.on_record order by p.tenant_id, p.submitter, p.producer_id limit $1`,
    [limit],
  );
  return rows.map(accountState);
}

/**
 * Tenants that have accounts and no chain.
 *
 * @param others tenants that may have had accounts; of these, those that have no chain are returned too
 */
export async function tenantsWithoutChain(query: Query, others: readonly string[]): Promise<string[]> {
  const rows = await query(
    `select p.tenant_id
       from (select tenant_id from audit_producers union select tenant_id from audit_producer_ranges
             union select unnest($1::text[])) p (tenant_id)
      where not exists (select from audit_chain_state s where s.tenant_id = p.tenant_id and s.last_sequence >= 0)
      order by 1`,
    [others],
  );
  return rows.map(({ tenant_id }) => String(tenant_id));
}

/** How far the chain of a tenant reaches; `undefined` without a chain. */
export async function readChainEnd(query: Query, tenantId: string): Promise<ChainEnd | undefined> {
  const [row] = await query(
    'select epoch, last_sequence::text as sequence from audit_chain_state where tenant_id = $1',
    [tenantId],
  );
  return row === undefined ? undefined : { epoch: Number(row.epoch), sequence: Number(row.sequence) };
}

/** Ranges of accounts that do not exist, of one tenant. */
export async function readOrphanedRanges(
  query: Query,
  tenantId: string,
): Promise<{ readonly submitter: string; readonly producerId: string; readonly range: NumberRange }[]> {
  const rows = await query(
    `select r.submitter, r.producer_id::text as producer_id, r.first_seq::text as first, r.last_seq::text as last
       from audit_producer_ranges r
      where r.tenant_id = $1
        and not exists (select from audit_producers p
                         where (p.submitter, p.producer_id, p.tenant_id) = (r.submitter, r.producer_id, r.tenant_id))
      order by 1, 2, r.first_seq limit 100`,
    [tenantId],
  );
  return rows.map(({ submitter, producer_id, first, last }) => ({
    submitter: String(submitter),
    producerId: String(producer_id),
    range: [Number(first), Number(last)],
  }));
}

/** Numbers that an account has settled. */
export function settledNumbers({ settledTo, ranges }: AccountState): NumberRange[] {
  return settledTo > 0 ? [[1, settledTo], ...ranges] : [...ranges];
}

/** All that an account says, as a record puts it on record. */
export function entryOfAccount(account: AccountState): AccountEntry {
  const { submitter, producerId, tenantId, service, finalSeq, isEphemeral } = account;
  return {
    submitter,
    producerId,
    tenantId,
    settled: settledNumbers(account),
    ...(finalSeq !== null && { final: finalSeq }),
    ...(isEphemeral && { ephemeral: true as const }),
    ...(service !== null && { service }),
  };
}

async function hasAccountBooks(query: Query): Promise<boolean> {
  const [row] = await query(
    `select exists (select from pg_attribute
                     where attrelid = to_regclass('audit_producers') and attname = 'on_record' and not attisdropped) as has`,
    [],
  );
  return row?.has === true;
}

function accountState(row: { readonly [column: string]: unknown }): AccountState {
  return {
    submitter: String(row.submitter),
    producerId: String(row.producer_id),
    tenantId: String(row.tenant_id),
    service: row.service === null ? null : String(row.service),
    settledTo: Number(row.settled_to),
    highestSeen: Number(row.highest_seen),
    finalSeq: row.final_seq === null ? null : Number(row.final_seq),
    isEphemeral: row.is_ephemeral === true,
    isOnRecord: row.on_record === true,
    ranges: row.ranges === null ? [] : (JSON.parse(String(row.ranges)) as NumberRange[]),
  };
}
