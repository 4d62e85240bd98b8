import type { AccountEntry } from '@tallystick/log';
import type { Session, Statement } from '../../store/database.ts';
import { markUnrecorded } from '../account-rows.ts';
import type { EventItem } from '../batch.ts';
import type { BookOptions } from '../book-options.ts';
import {
  findStoredLetters,
  type LetterRow,
  letterRows,
  newEntry,
  type StoredLetter,
  storeDeadLetters,
} from '../letter-rows.ts';
import { deadLettersOf, type IndexedOutcome, type MergedBatch, type PendingItems } from '../merge-batches.ts';
import { type Plan, statusesByBatch } from '../plan.ts';
import type { LockedRows } from '../row-locks.ts';
import { accountsChangedRecords } from '../service-records/accounts-changed-record.ts';
import { contradictionRecord } from '../service-records/contradiction-record.ts';
import { deadLetteredRecords } from '../service-records/dead-letter-records.ts';
import type { SourceRange } from '../source-position.ts';
import { AccountChanges } from './account-changes.ts';
import { BookChains } from './book-chains.ts';
import { contradictionsOf } from './contradictions.ts';

/** What is known under the locks of a batch. */
export interface BooksContext {
  readonly merged: MergedBatch;
  readonly locked: LockedRows;
  readonly pending: PendingItems;
  readonly positions: ReadonlyMap<SourceRange, number>;
  readonly options: BookOptions;
}

/** What a plan changes in the books. */
export interface BookChanges {
  /** The service's records of these changes. */
  readonly records: readonly EventItem[];
  /** Run after the accounts are settled. */
  readonly statements: readonly Statement[];
}

/**
 * The books of one batch: its dead letters and the accounts of its producers. Every change has a record in the same
 * transaction, so that the verification can compare the tables with the chain. A batch of
 * new events costs nothing here.
 */
export class BatchBooks {
  readonly #context: BooksContext;
  readonly #chains: BookChains;
  readonly #stored = new Map<string, StoredLetter>();
  readonly #contradictions: readonly EventItem[];
  readonly #accounts: AccountChanges;
  /** Changes of accounts that do not depend on the plan. */
  readonly #certain: readonly AccountEntry[];

  private constructor(
    context: BooksContext,
    chains: BookChains,
    contradictions: readonly EventItem[],
    accounts: AccountChanges,
    certain: readonly AccountEntry[],
  ) {
    this.#context = context;
    this.#chains = chains;
    this.#contradictions = contradictions;
    this.#accounts = accounts;
    this.#certain = certain;
  }

  /** @returns `undefined` if the transaction lacks the lock on a chain that has to take a record */
  static read(context: BooksContext): BatchBooks | undefined {
    const { merged, locked, pending, positions, options } = context;
    const chains = new BookChains(locked, merged.tenantIds, options);
    const contradictions = contradictionsOf(merged, locked, positions);
    const accounts = new AccountChanges(context);
    const certain = accounts.certain;
    const refused = letterRows(deadLettersOf(pending.refused));
    const tenants = [
      ...certain.map(({ tenantId }) => tenantId),
      ...contradictions.map(({ tenantId }) => tenantId),
      ...refused.map(({ facts }) => facts.tenant_id ?? undefined),
    ];
    if (!chains.isLockedFor(tenants)) return undefined;
    const records = contradictions.flatMap((contradiction) => {
      const chain = chains.of(contradiction.tenantId);
      return chain === undefined ? [] : contradictionRecord(contradiction, chain);
    });
    return new BatchBooks(context, chains, records, accounts, certain);
  }

  /** Tenants whose chains take records of the books, apart from those of the planned events. */
  get tenantIds(): string[] {
    const { pending, merged } = this.#context;
    const ofLetters = letterRows(deadLettersOf(pending.refused)).flatMap(
      ({ facts }) => this.#chains.of(facts.tenant_id ?? undefined) ?? [],
    );
    const ofRetries = merged.batches.flatMap(({ outcomeRecords }) => outcomeRecords?.tenantId ?? []);
    const ofAccounts = this.#certain.flatMap(({ tenantId }) => this.#chains.of(tenantId) ?? []);
    return [
      ...ofLetters,
      ...ofAccounts,
      ...ofRetries,
      ...this.#contradictions.map(({ event }) => event.tenant_id),
    ];
  }

  /**
   * What this plan changes in the books.
   *
   * @param ingestedAt time of the batch, ms since the epoch
   */
  async changesOf(session: Session, plan: Plan, ingestedAt: number): Promise<BookChanges> {
    const { pending, merged } = this.#context;
    const refused: readonly IndexedOutcome[] = [...pending.refused, ...plan.outcomes];
    const rows = letterRows(deadLettersOf(refused));
    if (rows.length > 0) await findStoredLetters(session, rows, this.#stored);
    const { records, chains } = this.#enter(rows, plan, ingestedAt);
    const statuses = statusesByBatch(merged.batches, pending, plan);
    const ofCallers = merged.batches.flatMap(
      ({ outcomeRecords }, at) => outcomeRecords?.of(statuses[at]!) ?? [],
    );
    const entries = Map.groupBy(this.#accounts.of(plan), ({ tenantId }) => this.#chains.of(tenantId));
    const ofAccounts = [...entries].flatMap(([chain, of]) =>
      chain === undefined ? [] : accountsChangedRecords(chain, of, ingestedAt),
    );
    return {
      records: [...this.#contradictions, ...records, ...ofAccounts, ...ofCallers],
      statements: [...storeDeadLetters(rows, chains), ...markUnrecorded(entries.get(undefined) ?? [])],
    };
  }

  /** Chooses the chain for each dead letter that needs a record. */
  #enter(
    rows: readonly LetterRow[],
    plan: Plan,
    ingestedAt: number,
  ): { readonly records: EventItem[]; readonly chains: ReadonlyMap<string, string> } {
    const inConflicts = new Map(
      plan.fresh
        .filter(({ item, index }) => index === undefined && item.event.event_type === 'delivery.conflict')
        .map(({ item: { event } }) => [event.metadata?.dead_letter_id, event.tenant_id]),
    );
    const chains = new Map<string, string>();
    const entries = new Map<string, string[]>();
    for (const row of rows) {
      const { id, tenant_id } = row.facts;
      const stored = this.#stored.get(id);
      const entry = newEntry(row, stored);
      if (entry === undefined) continue;
      const conflict = stored === undefined ? inConflicts.get(id) : undefined;
      const chain = conflict ?? this.#chains.of(tenant_id ?? undefined);
      if (chain === undefined) continue;
      chains.set(id, chain);
      if (conflict === undefined) entries.set(chain, [...(entries.get(chain) ?? []), entry]);
    }
    const records = [...entries].flatMap(([chain, of]) => deadLetteredRecords(chain, of, ingestedAt));
    return { records, chains };
  }
}
