import { gapRecords } from './accounting.ts';
import type {
  Batch,
  BatchItem,
  EpochOpening,
  EventItem,
  ItemOutcome,
  ProducerStatement,
  SourceRange,
} from './batch.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Placed } from './plan.ts';

/** What became of items, by their place among those of all batches, and what is to be kept of them. */
export interface Verdicts {
  readonly outcomes: readonly { readonly index: number; readonly outcome: ItemOutcome }[];
  readonly letters: readonly DeadLetter[];
}

/** What several batches hold together. Their items are numbered through. */
export interface Gathered {
  readonly items: readonly BatchItem[];
  readonly statements: readonly ProducerStatement[];
  readonly ranges: readonly SourceRange[];
  readonly openings: readonly EpochOpening[];
  /** Of everything that may be appended, whatever of the ranges was applied before. In order. */
  readonly tenantIds: readonly string[];
}

export function gather(batches: readonly Batch[]): Gathered {
  const openings = batches.flatMap((batch) => batch.openings ?? []);
  const events = batches.flatMap(({ items, statements, ownRecords, range }) => [
    ...items.flatMap((item) => ('deadLetter' in item ? [] : [item])),
    ...gapRecords(statements ?? []),
    ...(ownRecords?.(range?.from ?? 0) ?? []),
  ]);
  return {
    items: batches.flatMap((batch) => batch.items),
    statements: batches.flatMap((batch) => batch.statements ?? []),
    ranges: batches.flatMap(({ range }) => range ?? []),
    openings,
    tenantIds: tenantsOf(events, openings),
  };
}

export function tenantsOf(events: readonly EventItem[], openings: readonly EpochOpening[]): string[] {
  const ids = [...openings.map(({ tenantId }) => tenantId), ...events.map(({ event }) => event.tenant_id)];
  return [...new Set(ids)].sort();
}

/**
 * What is still to be appended, the service's own records included, and what was refused at admission.
 *
 * @param positions where each range's source stands: messages before it have been applied
 */
export function unapplied(
  batches: readonly Batch[],
  positions: ReadonlyMap<SourceRange, number>,
): { readonly events: Placed[]; readonly refused: Verdicts } {
  const events: Placed[] = [];
  const refused: { index: number; outcome: ItemOutcome & { deadLetter: DeadLetter } }[] = [];
  let start = 0;
  for (const { items, range, statements, ownRecords } of batches) {
    const applied = range === undefined ? 0 : positions.get(range)!;
    for (const [at, item] of items.entries()) {
      const index = start + at;
      if (range !== undefined && range.offsets[at]! < applied) continue;
      if ('deadLetter' in item) {
        refused.push({ index, outcome: { status: 'rejected', deadLetter: item.deadLetter } });
      } else {
        events.push({ item, index });
      }
    }
    for (const item of gapRecords(statements ?? [])) events.push({ item, index: undefined });
    for (const item of ownRecords?.(applied) ?? []) events.push({ item, index: undefined });
    start += items.length;
  }
  return {
    events,
    refused: { outcomes: refused, letters: refused.map(({ outcome }) => outcome.deadLetter) },
  };
}
