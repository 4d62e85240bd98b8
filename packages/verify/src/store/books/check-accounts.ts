import { type NumberRange, subtractRanges } from '@tallystick/log';
import type { Finding, FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';
import { type AccountSlice, halvesOf, isInSlice, slicesOf } from './account-slice.ts';
import { RangeSet } from './range-set.ts';
import {
  type AccountState,
  areAccountsOpened,
  countAccounts,
  readAccounts,
  readChainEnd,
  readOrphanedRanges,
  settledNumbers,
  tenantsWithoutChain,
} from './read-accounts.ts';
import {
  accountId,
  accountWeight,
  maxWeight,
  type ReplayedAccount,
  ReplayedAccounts,
  tenantsInServiceChain,
} from './replay-accounts.ts';

/** Most ranges of one account that are reported one by one. */
const maxRanges = 20;

/**
 * Compares the accounts of a tenant's producers with what the records say of them. Each account that was edited, deleted or
 * inserted with other means than the service's is a finding for each range of numbers, and for each other column. Accounts of an
 * earlier version are not compared before the service has put them on record.
 *
 * It reads the records of the whole chain once; of a tenant with more than some ten thousand accounts, several times, in bounded
 * memory.
 *
 * @returns how many accounts were not compared
 */
export async function checkAccounts(query: Query, of: AccountsOf, findings: FindingSink): Promise<number> {
  const isOpened = await areAccountsOpened(query, of.serviceTenant);
  const { accounts, ranges } = await countAccounts(query, of.tenantId);
  const slices = slicesOf(Math.ceil((accounts * accountWeight + ranges) / maxWeight));
  let unrecorded = 0;
  for (let slice = slices.pop(); slice !== undefined; slice = slices.pop()) {
    const checked = await checkSlice(query, of, slice, isOpened, findings);
    slices.push(...checked.left);
    unrecorded += checked.unrecorded;
  }
  await checkOrphans(query, of.tenantId, findings);
  return unrecorded;
}

/** Whose accounts are compared, and the tenant of the service's own records. */
interface AccountsOf {
  readonly tenantId: string;
  readonly serviceTenant: string;
}

/** @returns slices that were left out, because the records mention too many accounts, and how many accounts were not compared */
async function checkSlice(
  query: Query,
  of: AccountsOf,
  slice: AccountSlice,
  isOpened: boolean,
  findings: FindingSink,
): Promise<{ readonly left: readonly AccountSlice[]; readonly unrecorded: number }> {
  const snapshot = await readAccounts(query, of.tenantId, [of.tenantId, of.serviceTenant], slice);
  if (snapshot === undefined) return { left: [], unrecorded: 0 };
  let unrecorded = 0;
  const { accounts, slice: kept } = await ReplayedAccounts.read(query, of, snapshot.ends, slice);
  const report = (submitter: string, producerId: string, difference: string) =>
    findings.add(mismatch(submitter, producerId, of.tenantId, difference));
  for (const account of snapshot.accounts) {
    const id = accountId(account);
    if (!isInSlice(id, kept)) continue;
    const replayed = accounts.get(id);
    accounts.delete(id);
    if (!account.isOnRecord && !isOpened) {
      unrecorded++;
      continue;
    }
    for (const difference of differences(account, replayed))
      report(account.submitter, account.producerId, difference);
  }
  for (const { submitter, producerId, isPruned } of accounts.values())
    if (!isPruned) report(submitter, producerId, 'no row');
  const left: AccountSlice[] = [];
  for (let whole = slice; whole.bits < kept.bits; ) {
    const [first, second] = halvesOf(whole);
    left.push(second);
    whole = first;
  }
  return { left, unrecorded };
}

async function checkOrphans(query: Query, tenantId: string, findings: FindingSink): Promise<void> {
  for (const { submitter, producerId, range } of await readOrphanedRanges(query, tenantId)) {
    findings.add(mismatch(submitter, producerId, tenantId, `${numbers(range)} without an account`));
  }
}

function mismatch(submitter: string, producerId: string, tenantId: string, difference: string): Finding {
  return {
    code: 'PRODUCER_ACCOUNT_MISMATCH',
    sequence_number: null,
    found: `${producerId} of ${submitter} for ${tenantId}: ${difference}`,
  };
}

/** Compares the accounts of tenants that have no chain: the service's tenant has their records. */
export async function checkChainlessAccounts(
  query: Query,
  serviceTenant: string,
  findings: FindingSink,
): Promise<number> {
  let unrecorded = 0;
  const end = await readChainEnd(query, serviceTenant);
  const mentioned = await tenantsInServiceChain(query, serviceTenant, end);
  for (const tenantId of await tenantsWithoutChain(query, [...mentioned]))
    if (tenantId !== serviceTenant)
      unrecorded += await checkAccounts(query, { tenantId, serviceTenant }, findings);
  return unrecorded;
}

function differences(account: AccountState, replayed: ReplayedAccount | undefined): string[] {
  if (!account.isOnRecord) return ['a row with a change that no chain records'];
  // The service creates empty rows before it locks them. They say nothing, and a crash may leave one.
  if (replayed === undefined) return isEmpty(account) ? [] : ['a row without a record'];
  return [...numberDifferences(account, replayed), ...columnDifferences(account, replayed)];
}

function isEmpty(account: AccountState): boolean {
  const { settledTo, highestSeen, finalSeq, isEphemeral, service, ranges } = account;
  const isNumberless = settledTo === 0 && highestSeen === 0 && finalSeq === null && ranges.length === 0;
  return isNumberless && !isEphemeral && service === null;
}

function numberDifferences(account: AccountState, { settled }: ReplayedAccount): string[] {
  const stored = new RangeSet();
  for (const range of settledNumbers(account)) stored.add(range);
  const extra = subtractRanges(stored.ranges, settled.ranges).map(
    (range) => `${numbers(range)} settled without a record`,
  );
  const lost = subtractRanges(settled.ranges, stored.ranges).map(
    (range) => `${numbers(range)} not settled in spite of the records`,
  );
  const found = [...extra, ...lost];
  if (found.length > maxRanges)
    return [...found.slice(0, maxRanges), `${found.length - maxRanges} more ranges`];
  if (found.length > 0) return found;
  return isStoredAs(account, settled.ranges) ? [] : ['the settled numbers in other ranges'];
}

/** Whether the rows store the numbers as the service does: up to the first open one, then in as few ranges as possible. */
function isStoredAs({ settledTo, ranges }: AccountState, settled: readonly NumberRange[]): boolean {
  const [first] = settled;
  const contiguousTo = first?.[0] === 1 ? first[1] : 0;
  const others = contiguousTo > 0 ? settled.slice(1) : settled;
  return (
    settledTo === contiguousTo &&
    ranges.length === others.length &&
    ranges.every(([from, to], at) => from === others[at]![0] && to === others[at]![1])
  );
}

function columnDifferences(account: AccountState, replayed: ReplayedAccount): string[] {
  const found: string[] = [];
  const highest = replayed.settled.ranges.at(-1)?.[1] ?? 0;
  if (account.highestSeen !== highest)
    found.push(`the highest number ${account.highestSeen} instead of ${highest}`);
  if (account.finalSeq !== replayed.finalSeq)
    found.push(
      `the last number ${account.finalSeq ?? 'unknown'} instead of ${replayed.finalSeq ?? 'unknown'}`,
    );
  if (account.isEphemeral !== replayed.isEphemeral)
    found.push(account.isEphemeral ? 'ephemeral without a record' : 'not ephemeral in spite of the record');
  const { service, firstService } = replayed;
  // A producer that calls itself as its first event does needs no record of its name, and no record tells whether it did.
  const isNamed =
    service === undefined
      ? account.service === null || account.service === firstService
      : account.service === service;
  if (!isNamed) found.push('another name than the records say');
  return found;
}

function numbers([first, last]: NumberRange): string {
  return first === last ? `the number ${first}` : `the numbers ${first}-${last}`;
}
