import { type Account, accountsOf } from './accounting.ts';
import type { Batch, BatchItem, EpochOpening, EventItem, ItemOutcome } from './batch.ts';
import { type BookOptions, canRecord, serviceTenantOf } from './book-options.ts';
import type { DeadLetter } from './dead-letters.ts';
import { withOwnId } from './service-records/own-id.ts';
import { gapRecords } from './service-records/producer-records.ts';
import type { SourceRange } from './source-position.ts';

/** All batches of one transaction together, before anything was read. */
export interface MergedBatch {
  readonly batches: readonly Batch[];
  /** Of all batches. The index of an item here is its index everywhere. */
  readonly items: readonly BatchItem[];
  readonly ranges: readonly SourceRange[];
  readonly openings: readonly EpochOpening[];
  /** Tenants of all events, including those that may turn out to be applied already. Sorted. */
  readonly tenantIds: readonly string[];
  /** Tenants whose chains may have to record a refused event, where they exist. */
  readonly letterTenants: readonly string[];
  /** The service's tenant, if its chain may have to record a refused event: no other chain takes it. */
  readonly letterService: string | undefined;
  /** Tenants for which a producer declares its last number. */
  readonly finalTenants: readonly string[];
  /** Accounts of all producers that the batches mention. */
  readonly accounts: readonly Account[];
}

/** An event that is not stored yet. */
export interface PendingEvent {
  readonly item: EventItem;
  /** Index of its item; `undefined` for a record of the service, which no caller waits for. */
  readonly index: number | undefined;
  /** A record of the service under the id that version 0.1 would have chained it with. */
  readonly formerly?: EventItem;
}

/** The outcome of an event or a refused item. */
export interface IndexedOutcome {
  /** Index of the item; `undefined` for a record of the service. */
  readonly index: number | undefined;
  readonly outcome: ItemOutcome;
}

/** What of a {@link MergedBatch} is not applied yet. */
export interface PendingItems {
  readonly events: readonly PendingEvent[];
  /** Items that admission refused. */
  readonly refused: readonly IndexedOutcome[];
}

export function mergeBatches(batches: readonly Batch[], options: BookOptions): MergedBatch {
  const items = batches.flatMap((batch) => batch.items);
  const statements = batches.flatMap((batch) => batch.statements ?? []);
  const openings = batches.flatMap((batch) => batch.openings ?? []);
  const events = [
    ...items.flatMap((item) => ('deadLetter' in item ? [] : [item])),
    ...gapRecords(statements),
    ...batches.flatMap(({ serviceRecords, range }) => serviceRecords?.(range?.from ?? 0) ?? []),
  ];
  const refused = items.flatMap((item) => ('deadLetter' in item ? item.deadLetter : []));
  const recording = (tenantIds: readonly (string | undefined)[]) => [
    ...new Set(tenantIds.filter((tenantId) => canRecord(tenantId, options))),
  ];
  const hasUnrecorded = refused.some(({ tenantId }) => !canRecord(tenantId, options));
  return {
    batches,
    items,
    ranges: batches.flatMap(({ range }) => range ?? []),
    openings,
    tenantIds: tenantsOf(events, openings, batches),
    letterTenants: recording(refused.map(({ tenantId }) => tenantId)),
    letterService: hasUnrecorded ? serviceTenantOf(options) : undefined,
    finalTenants: recording(statements.flatMap(({ final }) => final.map(({ tenantId }) => tenantId))),
    accounts: accountsOf(items, statements),
  };
}

/** Sorted, so that all transactions lock tenants in the same order. */
export function tenantsOf(
  events: readonly EventItem[],
  openings: readonly EpochOpening[],
  batches: readonly Pick<Batch, 'outcomeRecords'>[] = [],
): string[] {
  const ids = [
    ...openings.map(({ tenantId }) => tenantId),
    ...events.map(({ event }) => event.tenant_id),
    ...batches.flatMap(({ outcomeRecords }) => outcomeRecords?.tenantId ?? []),
  ];
  return [...new Set(ids)].sort();
}

/**
 * Skips the messages that were applied before, and adds the records of the service.
 *
 * @param positions for each range the offset of the first message that has not been applied
 * @param recordIdSecret see {@link withOwnId}
 */
export function pendingOf(
  { batches }: MergedBatch,
  positions: ReadonlyMap<SourceRange, number>,
  recordIdSecret: Uint8Array | undefined,
): PendingItems {
  const events: PendingEvent[] = [];
  const refused: IndexedOutcome[] = [];
  let start = 0;
  for (const { items, range, statements, serviceRecords } of batches) {
    const position = range === undefined ? 0 : positions.get(range)!;
    for (const [at, item] of items.entries()) {
      const index = start + at;
      if (range !== undefined && range.offsets[at]! < position) continue;
      if ('deadLetter' in item) {
        refused.push({ index, outcome: { status: 'rejected', deadLetter: item.deadLetter } });
      } else {
        events.push({ ...withOwnId(item, recordIdSecret), index });
      }
    }
    for (const item of gapRecords(statements ?? []))
      events.push({ ...withOwnId(item, recordIdSecret), index: undefined });
    for (const item of serviceRecords?.(position) ?? [])
      events.push({ ...withOwnId(item, recordIdSecret), index: undefined });
    start += items.length;
  }
  return { events, refused };
}

export function itemsOf(events: readonly PendingEvent[]): EventItem[] {
  return events.map(({ item }) => item);
}

/** The items to look up: a record of the service may be stored under the id of version 0.1. */
export function lookupsOf(events: readonly PendingEvent[]): EventItem[] {
  return events.flatMap(({ item, formerly }) => (formerly === undefined ? [item] : [item, formerly]));
}

/** The dead letters among these outcomes. */
export function deadLettersOf(outcomes: readonly IndexedOutcome[]): DeadLetter[] {
  return outcomes.flatMap(({ outcome }) => ('deadLetter' in outcome ? outcome.deadLetter : []));
}

/** The outcomes of each batch, in the order of its items. */
export function splitByBatch(
  batches: readonly Batch[],
  outcomes: readonly IndexedOutcome[],
): (readonly (ItemOutcome | undefined)[])[] {
  const byIndex = new Map(outcomes.map(({ index, outcome }) => [index, outcome]));
  let start = 0;
  return batches.map(({ items }) => {
    const from = start;
    start += items.length;
    return items.map((_, at) => byIndex.get(from + at));
  });
}
