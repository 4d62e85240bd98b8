import { type AccountEntry, type NumberRange, parseAccountEntry } from '@tallystick/log';
import type { Query } from '../read-store.ts';
import { type AccountSlice, halvesOf, isInSlice, maxBits } from './account-slice.ts';
import { RangeSet } from './range-set.ts';
import type { ChainEnd } from './read-accounts.ts';

/** The account of a producer as the records describe it. */
export interface ReplayedAccount {
  readonly submitter: string;
  readonly producerId: string;
  readonly settled: RangeSet;
  finalSeq: number | null;
  isEphemeral: boolean;
  /** The name that a record of the service gives it. */
  service: string | undefined;
  /** Service of its first event. */
  firstService: string | undefined;
  /** Whether the account was deleted with a record, and no record mentions it since. */
  isPruned: boolean;
}

/** What an account counts in memory, as a number of ranges. */
export const accountWeight = 8;
/** Ranges and accounts that one reading of the chains keeps. More than these take several readings. */
export const maxWeight = 400_000;

const pageSize = 500;
/** Characters at the end of a record that nearly always have its member `ingest`. Where they do not, the whole record is read. */
const tailCharacters = 2_000;
const tail = `right(r.record, ${tailCharacters})`;
const hasIngest = `position(',"ingest":{' in ${tail}) > 0`;

// Only records that can mention an account are read: events with a number, and records of the service. Of an event, the service
// is read from its column, which the check of the records compares with its bytes.
const pageSql = `
  select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.source_service,
         case when r.event_type = any ($6::text[]) or not ${hasIngest} then r.record end as record, ${tail} as tail
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1
     and (r.epoch, r.sequence_number) > ($2::integer, $3::bigint)
     and (r.epoch, r.sequence_number) <= ($4::integer, $5::bigint)
     and (r.event_type = any ($6::text[]) or ($7::boolean and (position('"producer_seq":' in ${tail}) > 0 or not ${hasIngest})))
   order by r.epoch, r.sequence_number
   limit ${pageSize}`;

const types = [
  'delivery.gap',
  'delivery.unclosed',
  'audit.accounts_changed',
  'audit.accounts_pruned',
  'audit.books_opened',
];

/**
 * What the records say of the accounts of one tenant's producers: the tenant's own chain, and that of the service's tenant,
 * which has the records of the times when the tenant's own took none. Memory is bounded: where the accounts are too many, only
 * those of a smaller slice are kept.
 */
export class ReplayedAccounts {
  readonly accounts = new Map<string, ReplayedAccount>();
  readonly #tenantId: string;
  #slice: AccountSlice;
  #weight = 0;

  private constructor(tenantId: string, slice: AccountSlice) {
    this.#tenantId = tenantId;
    this.#slice = slice;
  }

  /** The accounts that were kept. */
  get slice(): AccountSlice {
    return this.#slice;
  }

  /**
   * Reads the chains, closed epochs included.
   *
   * @param ends how far to read; a tenant without an end has no chain
   * @param slice the accounts to keep, if they are not too many
   */
  static async read(
    query: Query,
    { tenantId, serviceTenant }: { readonly tenantId: string; readonly serviceTenant: string },
    ends: ReadonlyMap<string, ChainEnd>,
    slice: AccountSlice,
  ): Promise<ReplayedAccounts> {
    const replayed = new ReplayedAccounts(tenantId, slice);
    const own = readPages(query, tenantId, ends.get(tenantId), true);
    const service =
      serviceTenant === tenantId ? none() : readPages(query, serviceTenant, ends.get(serviceTenant), false);
    for await (const { record, isOwn } of inTimeOrder(own, service)) {
      replayed.#apply(record, isOwn);
      while (replayed.#weight > maxWeight && replayed.accounts.size > 1 && replayed.#slice.bits < maxBits)
        replayed.#halve();
    }
    return replayed;
  }

  #halve(): void {
    [this.#slice] = halvesOf(this.#slice);
    for (const [id, { settled }] of this.accounts) {
      if (isInSlice(id, this.#slice)) continue;
      this.accounts.delete(id);
      this.#weight -= settled.size + accountWeight;
    }
  }

  #apply({ event, ingest }: AccountRecord, isOwn: boolean): void {
    const metadata = event.metadata ?? {};
    if (ingest.trust !== 'service') {
      if (isOwn && ingest.producer_id !== undefined && ingest.producer_seq !== undefined)
        this.#settle(event, ingest);
      return;
    }
    const listed = Array.isArray(metadata.accounts) ? metadata.accounts : [];
    switch (event.event_type) {
      case 'delivery.gap':
        if (isOwn)
          this.#declare(metadata, (account) =>
            this.#add(account, [[Number(metadata.from), Number(metadata.to)]]),
          );
        break;
      case 'delivery.unclosed':
        if (isOwn) this.#declare(metadata, (account) => raiseFinal(account, Number(metadata.numbers)));
        break;
      case 'audit.accounts_changed':
      case 'audit.books_opened':
        for (const text of listed) this.#enter(parseAccountEntry(text));
        break;
      case 'audit.accounts_pruned':
        for (const text of listed) this.#prune(String(text), isOwn);
        break;
    }
  }

  #settle(event: AccountRecord['event'], ingest: AccountRecord['ingest']): void {
    const submitter = ingest.principal ?? topicOf(ingest.source);
    const account = this.#of(submitter, ingest.producer_id!);
    if (account === undefined) return;
    this.#add(account, [[ingest.producer_seq!, ingest.producer_seq!]]);
    account.firstService ??= event.source_service;
  }

  #declare(metadata: { readonly [name: string]: unknown }, change: (account: ReplayedAccount) => void): void {
    const account = this.#of(String(metadata.submitter), String(metadata.producer_id));
    if (account !== undefined) change(account);
  }

  #add(account: ReplayedAccount, ranges: readonly NumberRange[]): void {
    const before = account.settled.size;
    for (const range of ranges) account.settled.add(range);
    this.#weight += account.settled.size - before;
  }

  #enter(entry: AccountEntry | undefined): void {
    if (entry === undefined || entry.tenantId !== this.#tenantId) return;
    const account = this.#of(entry.submitter, entry.producerId);
    if (account === undefined) return;
    this.#add(account, entry.settled);
    if (entry.final !== undefined) raiseFinal(account, entry.final);
    account.isEphemeral ||= entry.ephemeral === true;
    account.service ??= entry.service;
  }

  /** The service creates a pruned account again as its own chain says it was, but for its name and whether it is ephemeral. */
  #prune(text: string, isOwn: boolean): void {
    const [producerId, tenantId, numbers, end, ...submitter] = text.split(' ');
    if (producerId === undefined || tenantId !== this.#tenantId) return;
    const account = this.#of(submitter.join(' '), producerId);
    if (account === undefined) return;
    this.accounts.delete(accountId(account));
    this.#weight -= account.settled.size + accountWeight;
    const pruned = this.#of(account.submitter, producerId)!;
    pruned.isPruned = true;
    if (!isOwn) return;
    pruned.firstService = account.firstService;
    if (Number(numbers) > 0) this.#add(pruned, [[1, Number(numbers)]]);
    if (end === 'closed') pruned.finalSeq = Number(numbers);
  }

  /** The account that a record mentions; `undefined` for one outside of the slice. */
  #of(submitter: string, producerId: string): ReplayedAccount | undefined {
    const id = accountId({ submitter, producerId });
    const known = this.accounts.get(id);
    if (known !== undefined) {
      known.isPruned = false;
      return known;
    }
    const account: ReplayedAccount = {
      submitter,
      producerId,
      settled: new RangeSet(),
      finalSeq: null,
      isEphemeral: false,
      service: undefined,
      firstService: undefined,
      isPruned: false,
    };
    if (!isInSlice(id, this.#slice)) return undefined;
    this.#weight += accountWeight;
    this.accounts.set(id, account);
    return account;
  }
}

/** Tenants whose accounts the chain of the service's tenant mentions. */
export async function tenantsInServiceChain(
  query: Query,
  serviceTenant: string,
  end: ChainEnd | undefined,
): Promise<Set<string>> {
  const tenants = new Set<string>();
  for await (const { event, ingest } of readPages(query, serviceTenant, end, false)) {
    const listed = ingest.trust === 'service' ? event.metadata?.accounts : undefined;
    for (const text of Array.isArray(listed) ? listed : []) {
      const isPruning = event.event_type === 'audit.accounts_pruned';
      const tenantId = isPruning ? String(text).split(' ')[1] : parseAccountEntry(text)?.tenantId;
      if (tenantId !== undefined) tenants.add(tenantId);
    }
  }
  return tenants;
}

/** Identifies an account of a tenant. */
export function accountId({
  submitter,
  producerId,
}: Pick<ReplayedAccount, 'submitter' | 'producerId'>): string {
  return `${submitter}\n${producerId}`;
}

function raiseFinal(account: ReplayedAccount, final: number): void {
  account.finalSeq = Math.max(account.finalSeq ?? 0, final);
}

/** The members of a record that accounts depend on. */
interface AccountRecord {
  readonly ingested_at: string;
  readonly event: {
    readonly event_type: string;
    readonly source_service: string;
    readonly metadata?: { readonly [name: string]: unknown };
  };
  readonly ingest: {
    readonly trust: string;
    readonly source: string;
    readonly principal?: string;
    readonly producer_id?: string;
    readonly producer_seq?: number;
  };
}

async function* readPages(
  query: Query,
  tenantId: string,
  end: ChainEnd | undefined,
  numbered: boolean,
): AsyncGenerator<AccountRecord> {
  if (end === undefined) return;
  let [epoch, sequence] = [0, -1];
  for (;;) {
    const to = [end.epoch, end.sequence];
    const rows = await query(pageSql, [tenantId, epoch, sequence, ...to, types, numbered]);
    for (const row of rows) {
      [epoch, sequence] = [Number(row.epoch), Number(row.sequence_number)];
      const record = row.record === null ? numberedOf(row) : recordOf(String(row.record));
      if (record !== undefined) yield record;
    }
    if (rows.length < pageSize) return;
  }
}

async function* none(): AsyncGenerator<AccountRecord> {}

/** Both chains in the order of time: a change in one may come after a change in the other. */
async function* inTimeOrder(
  own: AsyncGenerator<AccountRecord>,
  service: AsyncGenerator<AccountRecord>,
): AsyncGenerator<{ readonly record: AccountRecord; readonly isOwn: boolean }> {
  let [ofOwn, ofService] = [await own.next(), await service.next()];
  while (ofOwn.done !== true || ofService.done !== true) {
    const isOwn =
      ofOwn.done !== true &&
      (ofService.done === true || ofOwn.value.ingested_at <= ofService.value.ingested_at);
    yield { record: (isOwn ? ofOwn.value : ofService.value) as AccountRecord, isOwn };
    if (isOwn) ofOwn = await own.next();
    else ofService = await service.next();
  }
}

/**
 * What an event with a number says of its account. `ingest` is the last member of the record that has this name: the members after it
 * have no objects, and neither has `ingest`.
 */
function numberedOf(row: { readonly [column: string]: unknown }): AccountRecord | undefined {
  const tail = String(row.tail);
  const at = tail.lastIndexOf(',"ingest":{');
  if (at < 0) return undefined;
  try {
    const { ingested_at, ingest } = JSON.parse(`{${tail.slice(at + 1)}`);
    const event = { event_type: '', source_service: String(row.source_service) };
    return { ingested_at, event, ingest };
  } catch {
    return undefined;
  }
}

/** A record that can't be read is a finding of the chain's check, and says nothing here. */
function recordOf(text: string): AccountRecord | undefined {
  try {
    const { ingested_at, event, ingest } = JSON.parse(text);
    return typeof event === 'object' && typeof ingest === 'object' && ingest !== null
      ? { ingested_at, event, ingest }
      : undefined;
  } catch {
    return undefined;
  }
}

// Names of topics and ids of clusters contain no slash.
const messagePattern = /^(kafka:[^/]+\/[^/]+)\/\d+\/\d+$/;

/** An account of messages belongs to their topic. */
function topicOf(source: string): string {
  return messagePattern.exec(source)?.[1] ?? source;
}
