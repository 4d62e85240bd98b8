import { type AccountEntry, mergeRanges, subtractRanges } from '@tallystick/log';
import { type AccountRow, acceptedFinal, type TouchedRow } from '../account-rows.ts';
import { type Account, accountKey, type Range, submitterOf } from '../accounting.ts';
import type { EventItem } from '../batch.ts';
import type { MergedBatch, PendingEvent, PendingItems } from '../merge-batches.ts';
import type { Plan } from '../plan.ts';
import type { LockedRows } from '../row-locks.ts';

/** What is known of the accounts of a batch under their locks. */
interface AccountsContext {
  readonly merged: MergedBatch;
  readonly locked: Pick<LockedRows, 'accounts' | 'touchedRanges'>;
  readonly pending: PendingItems;
}

/**
 * Finds what changes in the accounts of a batch without following from the records that the batch chains: numbers of
 * duplicates, conflicts and refused events, last numbers, and what a producer says of itself. A batch that only has new
 * events of known producers costs nothing here.
 */
export class AccountChanges {
  readonly #context: AccountsContext;
  readonly #rows: ReadonlyMap<string, AccountRow>;
  readonly #touched: Map<string, TouchedRow[]>;

  constructor(context: AccountsContext) {
    this.#context = context;
    this.#rows = new Map(context.locked.accounts.map((row) => [row.key, row]));
    this.#touched = Map.groupBy(context.locked.touchedRanges, ({ key }) => key);
  }

  /**
   * What changes whatever becomes of the pending events. The chains of the other changes are those of pending events, and
   * are locked because of these.
   */
  get certain(): AccountEntry[] {
    const { pending } = this.#context;
    return this.#entries(pending.events, this.#areAllOf(pending.events));
  }

  /** What changes beside the records of this plan. */
  of(plan: Plan): AccountEntry[] {
    return this.#entries(plan.fresh, this.#areAllOf(plan.fresh));
  }

  /** Whether these events are all that the batch settles numbers with. */
  #areAllOf(events: readonly PendingEvent[]): boolean {
    const { batches, items } = this.#context.merged;
    if (batches.some(({ statements = [] }) => statements.some(({ gaps }) => gaps.length > 0))) return false;
    let count = 0;
    for (const { index } of events) if (index !== undefined) count++;
    return count === items.length;
  }

  /** @param areAll whether these events say all about numbers, so that only declarations can change more */
  #entries(chained: readonly PendingEvent[], areAll: boolean): AccountEntry[] {
    const accounts = areAll ? this.#declaring : this.#context.merged.accounts;
    if (accounts.length === 0) return [];
    const said = saidBy(chained);
    return accounts.flatMap((account) => this.#entry(account, said.get(accountKey(account))) ?? []);
  }

  /** The accounts that the batch says more of than numbers of events. */
  get #declaring(): readonly Account[] {
    return this.#context.merged.accounts.filter((account) => {
      const { service, finals, isEphemeral } = account;
      if (finals.length > 0 || isEphemeral) return true;
      return service !== undefined && this.#rows.get(accountKey(account))!.service === null;
    });
  }

  #entry(account: Account, said: Said | undefined): AccountEntry | undefined {
    const { submitter, producerId, tenantId } = account;
    const key = accountKey(account);
    const row = this.#rows.get(key)!;
    const stored = (this.#touched.get(key) ?? []).map((range): Range => [range.first_seq, range.last_seq]);
    if (row.settled_to > 0) stored.push([1, row.settled_to]);
    const settled = subtractRanges(account.settled, mergeRanges([...stored, ...(said?.settled ?? [])]));

    const known = Math.max(row.final_seq ?? -1, said?.final ?? -1);
    const final = acceptedFinal(account, row) ?? -1;
    const isNew = row.highest_seen === 0 && row.final_seq === null;
    const isNamed = account.service !== undefined && row.service === null;
    const service = isNamed && !(isNew && said?.service === account.service) ? account.service : undefined;

    const isChanged = settled.length > 0 || final > known || service !== undefined;
    if (!isChanged && !(isNew && account.isEphemeral)) return undefined;
    return {
      submitter,
      producerId,
      tenantId,
      settled,
      ...(final > known && { final }),
      ...(isNew && account.isEphemeral && { ephemeral: true as const }),
      ...(service !== undefined && { service }),
    };
  }
}

/** What chained events say of an account. */
interface Said {
  readonly settled: Range[];
  /** Service of the first event that has a number. */
  service?: string;
  final?: number;
}

function saidBy(events: readonly PendingEvent[]): Map<string, Said> {
  const accounts = new Map<string, Said>();
  const of = (submitter: string, producerId: string, tenantId: string): Said => {
    const key = accountKey({ submitter, producerId, tenantId });
    const said = accounts.get(key) ?? { settled: [] };
    accounts.set(key, said);
    return said;
  };
  for (const { item } of events) {
    const { event, ingest } = item;
    if (ingest.trust === 'service') {
      const declared = declarationOf(item);
      if (declared === undefined) continue;
      const said = of(declared.submitter, declared.producer_id, event.tenant_id);
      if (event.event_type === 'delivery.gap') said.settled.push([declared.from, declared.to]);
      else said.final = declared.numbers;
    } else if (ingest.producer_id !== undefined && ingest.producer_seq !== undefined) {
      const said = of(submitterOf(ingest), ingest.producer_id, event.tenant_id);
      said.settled.push([ingest.producer_seq, ingest.producer_seq]);
      said.service ??= event.source_service;
    }
  }
  return accounts;
}

interface Declaration {
  readonly submitter: string;
  readonly producer_id: string;
  readonly from: number;
  readonly to: number;
  readonly numbers: number;
}

/** The metadata of a record that declares numbers lost or an account closed. */
function declarationOf({ event }: EventItem): Declaration | undefined {
  const declares = event.event_type === 'delivery.gap' || event.event_type === 'delivery.unclosed';
  return declares ? (event.metadata as unknown as Declaration) : undefined;
}
