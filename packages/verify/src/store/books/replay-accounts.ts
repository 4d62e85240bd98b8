import { type AccountEntry, parseAccountEntry } from '@tallystick/log';
import type { Query } from '../read-store.ts';
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

const pageSize = 1_000;

// Only records that can mention an account are read: events with a number, and records of the service.
const pageSql = `
  select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.record
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1
     and (r.epoch, r.sequence_number) > ($2::integer, $3::bigint)
     and (r.epoch, r.sequence_number) <= ($4::integer, $5::bigint)
     and (r.event_type = any ($6::text[]) or ($7::boolean and position('"producer_seq":' in r.record) > 0))
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
 * which has the records of the times when the tenant's own took none. The memory that it uses grows with the number of accounts and
 * of their open ranges.
 */
export class ReplayedAccounts {
  readonly accounts = new Map<string, ReplayedAccount>();
  readonly #tenantId: string;

  private constructor(tenantId: string) {
    this.#tenantId = tenantId;
  }

  /**
   * Reads the chains, closed epochs included.
   *
   * @param ends how far to read; a tenant without an end has no chain
   */
  static async read(
    query: Query,
    { tenantId, serviceTenant }: { readonly tenantId: string; readonly serviceTenant: string },
    ends: ReadonlyMap<string, ChainEnd>,
  ): Promise<ReplayedAccounts> {
    const replayed = new ReplayedAccounts(tenantId);
    const own = readPages(query, tenantId, ends.get(tenantId), true);
    const service =
      serviceTenant === tenantId ? none() : readPages(query, serviceTenant, ends.get(serviceTenant), false);
    for await (const { record, isOwn } of inTimeOrder(own, service)) replayed.#apply(record, isOwn);
    return replayed;
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
          this.#declare(metadata, ({ settled }) => settled.add([Number(metadata.from), Number(metadata.to)]));
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
    account.settled.add([ingest.producer_seq!, ingest.producer_seq!]);
    account.firstService ??= event.source_service;
  }

  #declare(metadata: { readonly [name: string]: unknown }, change: (account: ReplayedAccount) => void): void {
    change(this.#of(String(metadata.submitter), String(metadata.producer_id)));
  }

  #enter(entry: AccountEntry | undefined): void {
    if (entry === undefined || entry.tenantId !== this.#tenantId) return;
    const account = this.#of(entry.submitter, entry.producerId);
    for (const range of entry.settled) account.settled.add(range);
    if (entry.final !== undefined) raiseFinal(account, entry.final);
    account.isEphemeral ||= entry.ephemeral === true;
    account.service ??= entry.service;
  }

  /** The service creates a pruned account again as its own chain says it was, but for its name and whether it is ephemeral. */
  #prune(text: string, isOwn: boolean): void {
    const [producerId, tenantId, numbers, end, ...submitter] = text.split(' ');
    if (producerId === undefined || tenantId !== this.#tenantId) return;
    const account = this.#of(submitter.join(' '), producerId);
    this.accounts.delete(accountId(account));
    const pruned = this.#of(account.submitter, producerId);
    pruned.isPruned = true;
    if (!isOwn) return;
    pruned.firstService = account.firstService;
    if (Number(numbers) > 0) pruned.settled.add([1, Number(numbers)]);
    if (end === 'closed') pruned.finalSeq = Number(numbers);
  }

  /** The account that a record mentions. */
  #of(submitter: string, producerId: string): ReplayedAccount {
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
      const record = recordOf(String(row.record));
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
