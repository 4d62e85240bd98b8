import { createGenesisRecord, formatOrigin, zeroHash } from '@tallystick/log';
import type { Receipt } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import type { Batch, ItemOutcome } from './batch.ts';
import { toDeadLetter } from './dead-letters.ts';
import { eventKey, isFarAhead, isSameEvent, type StoredEvent } from './duplicates.ts';
import type { Head } from './head.ts';
import type { IndexedOutcome, PendingEvent, PendingItems } from './merge-batches.ts';
import { wereReceivedEqual } from './received-events.ts';
import { conflictOf } from './service-records/conflict.ts';
import { isOwnRecord, withOwnId } from './service-records/own-id.ts';

/** What to do with each pending event. */
export interface Plan {
  /** To be sealed, in order: events, and the service's records of conflicts. */
  readonly fresh: readonly PendingEvent[];
  /** Same event as an earlier one of this batch. */
  readonly repeats: readonly { readonly event: PendingEvent; readonly of: PendingEvent }[];
  /** Outcomes that are known before anything is sealed: duplicates of stored events, conflicts and rejections. */
  readonly outcomes: readonly IndexedOutcome[];
}

export interface PlanContext {
  /** The events that the chains are known to hold, by their key. */
  readonly known: ReadonlyMap<string, StoredEvent>;
  /** Keys of the genesis records that this batch writes. */
  readonly genesisKeys: ReadonlySet<string>;
  /** Time of the batch, ms since the epoch. */
  readonly ingestedAt: number;
  /** See {@link withOwnId}. */
  readonly recordIdSecret: Uint8Array | undefined;
}

/**
 * Decides for each event: seal it, or answer with a duplicate, a conflict or a rejection.
 *
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN` if the service's own clock is hours ahead of the store's
 */
export function planBatch(events: readonly PendingEvent[], context: PlanContext): Plan {
  const { known, genesisKeys, ingestedAt, recordIdSecret } = context;
  const fresh: PendingEvent[] = [];
  const repeats: { event: PendingEvent; of: PendingEvent }[] = [];
  const outcomes: IndexedOutcome[] = [];
  const inBatch = new Map<string, PendingEvent>();
  const conflict = (event: PendingEvent) => {
    const { deadLetter, record } = conflictOf(event.item, new Date(ingestedAt).toISOString());
    outcomes.push({ index: event.index, outcome: { status: 'conflict', deadLetter } });
    const pending = { ...withOwnId(record, recordIdSecret), index: undefined };
    const key = eventKey(pending.item.event);
    if (known.has(key) || inBatch.has(key) || storedFormerly(pending, known) !== undefined) return;
    inBatch.set(key, pending);
    fresh.push(pending);
  };
  for (const event of events) {
    const key = eventKey(event.item.event);
    const stored = known.get(key);
    const formerly = storedFormerly(event, known);
    const first = inBatch.get(key);
    if (isFarAhead(event.item.event.audit_id, ingestedAt)) {
      if (event.item.ingest.trust === 'service') throw clocksApart(event, ingestedAt);
      outcomes.push({ index: event.index, outcome: aheadOfStore(event) });
    } else if (formerly !== undefined) {
      if (isSameEvent(formerly, event.formerly!))
        outcomes.push(outcome(event, 'duplicate', formerly.receipt));
      else conflict(event);
    } else if (stored !== undefined) {
      if (event.item.firstWins === true || isSameEvent(stored, event.item))
        outcomes.push(outcome(event, 'duplicate', stored.receipt));
      else conflict(event);
    } else if (first !== undefined) {
      if (event.item.firstWins === true || wereReceivedEqual(first.item, event.item))
        repeats.push({ event, of: first });
      else conflict(event);
    } else if (genesisKeys.has(key)) {
      conflict(event);
    } else {
      inBatch.set(key, event);
      fresh.push(event);
    }
  }
  return { fresh, repeats, outcomes };
}

/** What version 0.1 chained as the same record of the service, or `undefined`. */
function storedFormerly(
  { formerly }: PendingEvent,
  known: ReadonlyMap<string, StoredEvent>,
): StoredEvent | undefined {
  const stored = formerly && known.get(eventKey(formerly.event));
  return stored !== undefined && isOwnRecord(stored) ? stored : undefined;
}

/**
 * A record of what the service does is dated by the service's clock. As a dead letter it would be missing in the chain, although what it says
 * has happened.
 */
function clocksApart({ item: { event } }: PendingEvent, ingestedAt: number): ServerError {
  return new ServerError(
    'CLOCK_BEHIND_CHAIN',
    "the clock of the service is hours ahead of the store's clock: correct the clocks of the service and of the database server",
    {
      details: {
        tenant_ids: [event.tenant_id],
        service_clock: event.timestamp,
        clock: new Date(ingestedAt).toISOString(),
      },
    },
  );
}

function aheadOfStore({ item }: PendingEvent): ItemOutcome {
  const deadLetter = toDeadLetter(item.canonical, item.ingest, [
    {
      code: 'AUDIT_ID_AHEAD',
      pointer: '/audit_id',
      message: "must not carry a time far ahead of the store's clock",
    },
  ]);
  return { status: 'rejected', deadLetter };
}

/**
 * The outcomes of all events of a plan.
 *
 * @param receipts one for each fresh event, in order
 */
export function outcomesOf(
  { fresh, repeats, outcomes }: Plan,
  receipts: readonly Receipt[],
): IndexedOutcome[] {
  const receiptOf = new Map(fresh.map((event, at) => [event, receipts[at]!]));
  return [
    ...outcomes,
    ...fresh.map((event) => outcome(event, 'chained', receiptOf.get(event)!)),
    ...repeats.map(({ event, of }) => outcome(event, 'duplicate', receiptOf.get(of)!)),
  ];
}

/** What becomes of the items of each batch, in their order, before anything is sealed. */
export function statusesByBatch(
  batches: readonly Batch[],
  { refused }: PendingItems,
  { fresh, repeats, outcomes }: Plan,
): (ItemOutcome['status'] | undefined)[][] {
  const byIndex = new Map<number | undefined, ItemOutcome['status']>();
  for (const { index } of fresh) byIndex.set(index, 'chained');
  for (const { event } of repeats) byIndex.set(event.index, 'duplicate');
  for (const { index, outcome } of [...refused, ...outcomes]) byIndex.set(index, outcome.status);
  let start = 0;
  return batches.map(({ items }) => {
    const from = start;
    start += items.length;
    return items.map((_, at) => byIndex.get(from + at));
  });
}

function outcome({ index }: PendingEvent, status: 'chained' | 'duplicate', receipt: Receipt): IndexedOutcome {
  return { index, outcome: { status, receipt } };
}

/** Keys of the genesis records that new chains will get. Anyone can compute these ids in advance and use them. */
export function genesisKeysOf(heads: Iterable<Head>, logName: string): Set<string> {
  const keys = new Set<string>();
  for (const { tenantId, epoch, lastSequence } of heads) {
    if (lastSequence >= 0) continue;
    const origin = formatOrigin({ logName, tenantId, epoch });
    const { event } = createGenesisRecord({
      tenantId,
      origin,
      epoch,
      ingestedAt: new Date(0).toISOString(),
      nonce: zeroHash.slice(32),
    });
    keys.add(eventKey({ tenant_id: tenantId, audit_id: event.audit_id }));
  }
  return keys;
}
