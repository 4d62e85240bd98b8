import { createGenesisRecord, formatOrigin, zeroHash } from '@tallystick/log';
import type { EventItem } from './batch.ts';
import { conflictOf } from './conflict.ts';
import type { DeadLetter } from './dead-letters.ts';
import { type Held, identity, isSameEvent } from './duplicates.ts';
import type { Head } from './head.ts';

/** An event with its place in the batch; the service's own events have none. */
export interface Placed {
  readonly item: EventItem;
  readonly index: number | undefined;
}

/** What is to be done with each event of a batch. */
export interface Plan {
  /** To be sealed, in order: events and the service's own records of conflicts. */
  readonly fresh: readonly Placed[];
  /** Same event as one that the chain holds. */
  readonly duplicates: readonly Placed[];
  /** Same event as an earlier one of this batch. */
  readonly repeats: readonly { readonly placed: Placed; readonly of: Placed }[];
  readonly conflicts: readonly { readonly placed: Placed; readonly deadLetter: DeadLetter }[];
}

export interface PlanContext {
  /** What the chains are known to hold. */
  readonly held: ReadonlyMap<string, Held>;
  /** Identities of the genesis records that this batch is to write. */
  readonly taken: ReadonlySet<string>;
  readonly ingestedAt: string;
}

export function planBatch(events: readonly Placed[], context: PlanContext): Plan {
  const { held, taken } = context;
  const fresh: Placed[] = [];
  const duplicates: Placed[] = [];
  const repeats: { placed: Placed; of: Placed }[] = [];
  const conflicts: { placed: Placed; deadLetter: DeadLetter }[] = [];
  const inBatch = new Map<string, Placed>();
  const conflict = (placed: Placed) => {
    const { deadLetter, record } = conflictOf(placed.item, context.ingestedAt);
    conflicts.push({ placed, deadLetter });
    const key = identity(record.event.tenant_id, record.event.audit_id);
    if (held.has(key) || inBatch.has(key)) return;
    const own = { item: record, index: undefined };
    inBatch.set(key, own);
    fresh.push(own);
  };
  for (const placed of events) {
    const key = identity(placed.item.event.tenant_id, placed.item.event.audit_id);
    const before = held.get(key);
    const first = inBatch.get(key);
    if (before !== undefined) {
      if (isSameEvent(before, placed.item)) duplicates.push(placed);
      else conflict(placed);
    } else if (first !== undefined) {
      if (first.item.canonical === placed.item.canonical) repeats.push({ placed, of: first });
      else conflict(placed);
    } else if (taken.has(key)) {
      conflict(placed);
    } else {
      inBatch.set(key, placed);
      fresh.push(placed);
    }
  }
  return { fresh, duplicates, repeats, conflicts };
}

/** Identities that the genesis records of new chains will have: anybody can compute them beforehand. */
export function genesisIdentities(heads: Iterable<Head>, logName: string): Set<string> {
  const taken = new Set<string>();
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
    taken.add(identity(tenantId, event.audit_id));
  }
  return taken;
}
